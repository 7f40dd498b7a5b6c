"""The command line: one command a verb.

Exit codes: 0 everything is measured; 1 some cells failed, or the disk did; 2 bad
usage, and nothing was written.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from mae_bench import registry
from mae_bench.console import console, end, errors_in_one_line, say
from mae_bench.options import (
    Again,
    Datasets,
    Device,
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
from mae_bench.schema import UsageError
from mae_bench.store import Store

app = typer.Typer(
    help="Put theories of masked autoencoders to the test.",
    epilog="Exit codes: 0 ok, 1 some cells failed or the disk did, 2 bad usage.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


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
) -> dict[str, str]:
    """Measure; gives the reason of every chosen cell that failed."""
    from mae_bench import launch, measure, plan
    from mae_bench.progress import progress

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
            wanted, due, store=cells, results=folder, devices=devices, told=told
        )
    return measure.failures(wanted, cells)


def _measurements(folder: Path) -> Path:
    """Where the measurements are; refused if there are none."""
    found = folder / "measurements"
    if not any(found.glob("*.csv")):
        raise UsageError(f"no measurements in {found}; run mae-bench measure first")
    return found


def _judge(folder: Path) -> tuple[Any, Any]:
    from mae_bench import judge
    from mae_bench.rows import read_measurements

    measured = read_measurements(_measurements(folder))
    verdicts, theories = judge.judge(_load("theories", None), measured)
    judge.write(verdicts, theories, folder)
    return verdicts, theories


def _rank(folder: Path) -> Any:
    from mae_bench import rank
    from mae_bench.rows import read_measurements

    measured = read_measurements(_measurements(folder))
    board = rank.rank(measured)
    rank.write(board, folder)
    return board


def _plot(folder: Path) -> list[Path]:
    _measurements(folder)
    from mae_bench import plot

    return plot.plot(folder, _load("experiments", None))


@app.command()
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
    as_json: Json = False,
) -> None:
    """Measure, judge, rank and plot: from nothing to the leaderboard."""
    from mae_bench import rank

    folder = _folder(results, tier)
    failed = _measure(
        tier, seeds, jobs, device, experiment, method, dataset, store, folder, rerun
    )
    _judge(folder)
    board = _rank(folder)
    _plot(folder)
    if not as_json:
        say(rank.render(board))
    end(failed, folder, as_json)


@app.command()
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
    as_json: Json = False,
) -> None:
    """Train and score what is missing; write measurements/*.csv."""
    folder = _folder(results, tier)
    failed = _measure(
        tier, seeds, jobs, device, experiment, method, dataset, store, folder, rerun
    )
    end(failed, folder, as_json)


@app.command()
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


@app.command()
@errors_in_one_line
def rank(results: Folder = Path("results"), as_json: Json = False) -> None:
    """Order the methods, with intervals, floor and ceiling; write leaderboard.csv."""
    from mae_bench import rank as verb

    board = _rank(results)
    say(board.to_json(orient="records", indent=1) if as_json else verb.render(board))


@app.command()
@errors_in_one_line
def plot(results: Folder = Path("results"), as_json: Json = False) -> None:
    """Draw the figures from the CSVs."""
    drawn = [str(path) for path in _plot(results)]
    say(json.dumps(drawn) if as_json else "\n".join(drawn))


@app.command(name="list")
def list_parts(
    room: Annotated[
        str | None, typer.Argument(help=f"One of {', '.join(registry.ROOMS)}.")
    ] = None,
    as_json: Json = False,
) -> None:
    """List the parts, each with its sentence."""
    if room is not None and room not in registry.ROOMS:
        raise typer.BadParameter(f"{room!r} is none of {', '.join(registry.ROOMS)}")
    found = {
        r: {name: registry.summary(r, name) for name in registry.names(r)}
        for r in ([room] if room else registry.ROOMS)
    }
    if as_json:
        say(json.dumps(found, indent=1))
        return
    for r, parts in found.items():
        say(r)
        width = max(map(len, parts), default=0)
        for name, sentence in parts.items():
            say(f"  {name:{width}}  {sentence}")


@app.command()
@errors_in_one_line
def info(name: str, as_json: Json = False) -> None:
    """Say what a part is, what it can be set to, and where it comes from."""
    from mae_bench import describe

    found = describe.describe(name)
    say(json.dumps(found, indent=1) if as_json else describe.render(found))


@app.command()
@errors_in_one_line
def doctor(store: StorePath = Path(".store"), as_json: Json = False) -> None:
    """Check the installation, the machine and the store."""
    from mae_bench import describe

    checks = describe.examine(Store(store))
    if as_json:
        say(json.dumps([vars(check) for check in checks], indent=1))
    else:
        say("\n".join(map(str, checks)))
    if not all(check.ok for check in checks):
        raise typer.Exit(1)


def main() -> None:
    """Entry point of ``mae-bench``."""
    app()


if __name__ == "__main__":
    main()
