"""The verbs as functions, for notebooks; the command line calls the same.

Each reads and writes the folders that ``records.folders`` names.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from mae_bench.commands.console import console, tell
from mae_bench.commands.options import (
    Evaluating,
    Measuring,
    TierName,
    one_of,
    spread,
)
from mae_bench.records import registry
from mae_bench.records.folders import Folders, beside, folders, own, registrations
from mae_bench.records.schema import TIERS

if TYPE_CHECKING:
    import pandas as pd
    from torch import nn

    from mae_bench.runs.measure import Run
    from mae_bench.runs.plan import Plan, Task


def parts(room: str, wanted: Sequence[str] | None = None) -> dict[str, Any]:
    """Parts by id; all of them if none is named."""
    return {name: registry.load(room, name) for name in wanted or registry.names(room)}


def _joined(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Rows of several experiments in one table."""
    import pandas as pd

    return pd.concat(tables.values(), ignore_index=True)


def where_to(results: Path | str | None, tier: str) -> Folders:
    """The folders of a verb that reads measurements.

    Raises:
        UsageError: There are none.
    """
    named = None if results is None else Path(results)
    return folders(named, one_of(TierName, tier).value)


def run_of(wish: Measuring) -> Run:
    """Train and score what is missing of a wish, and merge it into the rows.

    Raises:
        UsageError: What is wished for cannot be.
        StoreError: The store or the results cannot be written.
    """
    from mae_bench.records.merge import check_writable
    from mae_bench.records.read import read_measurements
    from mae_bench.records.store import Store
    from mae_bench.runs import launch, measure, plan
    from mae_bench.runs.progress import progress

    tier = wish.tier.value
    store, results = Store(wish.store, tell), wish.results or own(tier)
    experiments = parts("experiments", wish.experiments)
    filters = {
        "methods": list(parts("methods", wish.methods)) if wish.methods else [],
        "datasets": list(parts("datasets", wish.datasets)) if wish.datasets else [],
    }
    devices = launch.devices(wish.device, wish.jobs)
    wanted = plan.plan(
        experiments,
        tier=tier,
        seeds=wish.seeds,
        store=store,
        precision=launch.precision(devices),
        **filters,
    )
    known = wanted.known(read_measurements(results / "measurements"))
    store.check_writable()
    check_writable(results)
    due = plan.pending(wanted, store, known, wish.rerun.value)
    _foretell(wanted, due, plan.trained_again(due, store, known), len(devices))
    with progress(len(due), console) as told:
        run = measure.Run(wanted, store, results, known, told)
        run.measure(due, devices, wish.ensembles)
    return run


def _foretell(
    wanted: Plan, due: Sequence[Task], again: Sequence[Task], workers: int
) -> None:
    """Say what will be done."""
    tell(f"{len(wanted.tasks)} cells, {len(due)} to run, {workers} workers")
    if again:
        metrics = sorted({metric for task in again for metric, _ in task.wanted})
        tell(
            f"{len(again)} cells must be trained again for {len(metrics)} new metrics "
            f"({', '.join(metrics)}): their rows are here, their weights are not",
            "yellow",
        )


@spread(Measuring, spoken=False)
def measure(wish: Measuring) -> pd.DataFrame:
    """Train and score what is missing; gives the rows of all cells that were asked for.

    Returns:
        Columns of ``Measurement``; the factors of all experiments as columns. What
        failed is a row with its status and reason.

    Raises:
        UsageError: What is asked for cannot be.
    """
    run = run_of(wish)
    rows = _joined(run.tables())
    return rows[rows["cell"].isin(run.plan.tasks)].reset_index(drop=True)


def load_results(
    results: Path | str | None = None, tier: str = "quick"
) -> pd.DataFrame:
    """All measurements of a folder in one table, the factors as columns.

    Args:
        results: The folder; by default one's own, or else the published.
        tier: Says which folder, if none is named.

    Raises:
        UsageError: There are none, or a row cannot be.
    """
    from mae_bench.records.read import read_measurements

    where = where_to(results, tier)
    return _joined(read_measurements(where.read / "measurements"))


def judge(
    results: Path | str | None = None, tier: str = "quick"
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Hold measurements against predictions; write verdicts, theories, forecasts.

    Args:
        results: See ``load_results``.
        tier: Likewise.

    Returns:
        Verdicts, a row a prediction, and scores, a row a theory.
    """
    from mae_bench.records.read import read_measurements
    from mae_bench.verdicts import forecast, registration
    from mae_bench.verdicts import judge as verb

    where = where_to(results, tier)
    measured = read_measurements(where.read / "measurements")
    known = parts("theories")
    rules = registration.registered(registrations(None))
    first_seeds = {key: found.first_seed for key, found in rules.items()}
    verdicts, theories = verb.judge(known, measured, first_seeds)
    verb.write(verdicts, theories, where.write)
    forecast.write(forecast.judge_forecasts(known, measured), where.write)
    return verdicts, theories


def rank(results: Path | str | None = None, tier: str = "quick") -> pd.DataFrame:
    """Order the methods, with intervals, floor and ceiling; write leaderboard.csv.

    Args:
        results: See ``load_results``.
        tier: Likewise.

    Returns:
        A row a (dataset, method); see ``verdicts.rank.rank``.
    """
    from mae_bench.records.read import read_measurements
    from mae_bench.verdicts import rank as verb

    where = where_to(results, tier)
    board = verb.rank(read_measurements(where.read / "measurements"))
    verb.write(board, where.write)
    return board


def plot(results: Path | str | None = None, tier: str = "quick") -> list[Path]:
    """Draw the figures from the CSVs; gives their files.

    Args:
        results: See ``load_results``.
        tier: Likewise.
    """
    where = where_to(results, tier)
    from mae_bench.pages import plot as verb

    return verb.plot(where, parts("experiments"))


class Evaluation(NamedTuple):
    """An encoder among ours.

    Args:
        board: The leaderboard with it, on the worlds that it was shown.
        failed: Name -> reason of what could not be measured.
        folder: Where its measurements are.
    """

    board: pd.DataFrame
    failed: dict[str, str]
    folder: Path


def evaluation(wish: Evaluating, module: nn.Module | str) -> Evaluation:
    """Measure an encoder from elsewhere and place it in the leaderboard.

    Args:
        wish: What it is shown, and where the rows go.
        module: A network, a checkpoint's path, or ``module:function``.

    Raises:
        UsageError: It cannot be read, or what is asked for cannot be.
    """
    from mae_bench.encoders import evaluate as verb
    from mae_bench.encoders import outsider
    from mae_bench.experiments.leaderboard import LEADERBOARD
    from mae_bench.runs import launch
    from mae_bench.verdicts import rank as ranking

    tier, output = wish.tier.value, wish.output
    (where,) = launch.devices(wish.device, 1)
    worlds = verb.worlds_of(
        wish.datasets or [registry.id_of(world) for world in LEADERBOARD.datasets],
        wish.settings or [],
    )
    if isinstance(module, str):
        spec, network = module, outsider.load(module, wish.num_heads)
    else:
        spec, network = type(module).__name__, module
    entrant = verb.Entrant(
        wish.name or (Path(spec).stem if Path(spec).exists() else spec.split(":")[-1]),
        outsider.Reader(network, where, wish.image_size),
        {
            "source": Path(spec).name,
            "sha256": outsider.identity(spec, network),
            "image_size": wish.image_size,
            "num_heads": wish.num_heads,
        },
    )
    seeds = wish.seeds or range(TIERS[tier].seeds)
    path = verb.evaluate(
        entrant,
        worlds,
        tier=tier,
        seeds=seeds,
        device=where,
        folder=output,
        told=tell,
    )
    board, lines = verb.place(path, worlds, beside(wish.results, tier), tier)
    ranking.write(board, output)
    for line in lines:
        tell(line)
    return Evaluation(board, verb.failures(path), output)


@spread(Evaluating, spoken=False)
def evaluate(wish: Evaluating, module: nn.Module | str) -> pd.DataFrame:
    """Measure a network, or what a spec stands for, and place it in the leaderboard.

    Args:
        wish: What it is shown, and where the rows go.
        module: A network, a checkpoint's path, or ``module:function``.

    Returns:
        The leaderboard with it, on the worlds that it was shown.

    Raises:
        UsageError: It cannot be read, or what is asked for cannot be.
    """
    return evaluation(wish, module).board
