"""From nothing to the leaderboard: run, and each of its verbs alone."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mae_bench.commands.console import console, end, errors_in_one_line, say
from mae_bench.commands.options import (
    Again,
    Datasets,
    Device,
    Ensembles,
    Experiments,
    Folder,
    Jobs,
    Json,
    Methods,
    Rerun,
    Results,
    Seeds,
    StorePath,
    Tier,
    TierName,
)
from mae_bench.records import registry
from mae_bench.records.schema import UsageError
from mae_bench.records.store import Store


def _folder(results: Path | None, tier: str) -> Path:
    if results is not None:
        return results
    return Path("results") if tier == "quick" else Path("results") / tier


def _load(room: str, wanted: Sequence[str] | None) -> dict[str, Any]:
    """Parts by id; all of them if none is named."""
    return {name: registry.load(room, name) for name in wanted or registry.names(room)}


def _measure(
    tier: str,
    seeds: int | None,
    jobs: int | None,
    device: str,
    experiment: list[str] | None,
    method: list[str] | None,
    dataset: list[str] | None,
    store: Path,
    folder: Path,
    rerun: Rerun,
    ensembles: bool | None,
) -> dict[str, str]:
    """Measure; gives the reason of every chosen cell that failed."""
    from mae_bench.runs import launch, measure, plan
    from mae_bench.runs.progress import progress

    cells = Store(store, lambda line: console.print(line, highlight=False))
    wanted = plan.plan(
        _load("experiments", experiment),
        tier=tier,
        seeds=seeds,
        store=cells,
        methods=list(_load("methods", method)) if method else [],
        datasets=list(_load("datasets", dataset)) if dataset else [],
    )
    devices = launch.devices(device, jobs)
    cells.check_writable()
    due = plan.pending(wanted, cells, rerun.value)
    line = f"{len(wanted.chosen)} cells, {len(due)} to run, {len(devices)} workers"
    console.print(line, highlight=False)
    with progress(len(due), console) as told:
        measure.measure(
            wanted,
            due,
            store=cells,
            results=folder,
            devices=devices,
            told=told,
            ensembles=ensembles,
        )
    return measure.failures(wanted, cells)


def _measurements(folder: Path) -> Path:
    """Where the measurements are; refused if there are none."""
    found = folder / "measurements"
    if not any(found.glob("*.csv")):
        raise UsageError(f"no measurements in {found}; run mae-bench measure first")
    return found


def _judge(folder: Path) -> tuple[Any, Any]:
    from mae_bench.records.rows import read_measurements
    from mae_bench.verdicts import judge

    measured = read_measurements(_measurements(folder))
    verdicts, theories = judge.judge(_load("theories", None), measured)
    judge.write(verdicts, theories, folder)
    return verdicts, theories


def _rank(folder: Path) -> Any:
    from mae_bench.records.rows import read_measurements
    from mae_bench.verdicts import rank

    measured = read_measurements(_measurements(folder))
    board = rank.rank(measured)
    rank.write(board, folder)
    return board


def _plot(folder: Path) -> list[Path]:
    _measurements(folder)
    from mae_bench.pages import plot

    return plot.plot(folder, _load("experiments", None))


@errors_in_one_line
def run(
    tier: Tier = TierName.quick,
    seeds: Seeds = None,
    jobs: Jobs = None,
    device: Device = "auto",
    experiment: Experiments = None,
    method: Methods = None,
    dataset: Datasets = None,
    store: StorePath = Path(".store"),
    results: Results = None,
    rerun: Again = Rerun.missing,
    ensembles: Ensembles = None,
    as_json: Json = False,
) -> None:
    """Measure, judge, rank and plot: from nothing to the leaderboard."""
    from mae_bench.verdicts import rank

    folder = _folder(results, tier)
    failed = _measure(
        tier,
        seeds,
        jobs,
        device,
        experiment,
        method,
        dataset,
        store,
        folder,
        rerun,
        ensembles,
    )
    _judge(folder)
    board = _rank(folder)
    _plot(folder)
    if not as_json:
        say(rank.render(board))
    end(failed, folder, as_json)


@errors_in_one_line
def measure(
    tier: Tier = TierName.quick,
    seeds: Seeds = None,
    jobs: Jobs = None,
    device: Device = "auto",
    experiment: Experiments = None,
    method: Methods = None,
    dataset: Datasets = None,
    store: StorePath = Path(".store"),
    results: Results = None,
    rerun: Again = Rerun.missing,
    ensembles: Ensembles = None,
    as_json: Json = False,
) -> None:
    """Train and score what is missing; write measurements/*.csv."""
    folder = _folder(results, tier)
    failed = _measure(
        tier,
        seeds,
        jobs,
        device,
        experiment,
        method,
        dataset,
        store,
        folder,
        rerun,
        ensembles,
    )
    end(failed, folder, as_json)


@errors_in_one_line
def judge(results: Folder = Path("results"), as_json: Json = False) -> None:
    """Hold measurements against predictions; write verdicts.csv and theories.csv."""
    verdicts, theories = _judge(results)
    if as_json:
        say(verdicts.to_json(orient="records", indent=1))
        return
    columns = ["prediction", "verdict", "estimate", "ci_low", "ci_high", "margin"]
    say(verdicts[[*columns, "n_seeds", "control_verdict"]].to_string(index=False))
    say("")
    say(theories.iloc[:, :7].to_string(index=False))


@errors_in_one_line
def rank(results: Folder = Path("results"), as_json: Json = False) -> None:
    """Order the methods, with intervals, floor and ceiling; write leaderboard.csv."""
    from mae_bench.verdicts import rank as verb

    board = _rank(results)
    say(board.to_json(orient="records", indent=1) if as_json else verb.render(board))


@errors_in_one_line
def plot(results: Folder = Path("results"), as_json: Json = False) -> None:
    """Draw the figures from the CSVs."""
    drawn = [str(path) for path in _plot(results)]
    say(json.dumps(drawn) if as_json else "\n".join(drawn))
