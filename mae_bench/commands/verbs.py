"""The verbs as functions, for notebooks; the command line calls the same.

Each reads and writes the folders that ``records.folders`` names.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from mae_bench.commands.console import tell
from mae_bench.commands.engines import Running
from mae_bench.commands.options import Evaluating, TierName, spread
from mae_bench.commands.running import cost_of, run_of
from mae_bench.commands.words import one_of
from mae_bench.records import registry
from mae_bench.records.folders import Folders, beside, folders, registered
from mae_bench.records.schema import TIERS, TRACKS, UsageError

if TYPE_CHECKING:
    import pandas as pd
    from torch import nn


def _joined(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Rows of several experiments in one table."""
    import pandas as pd

    from mae_bench.records.rows import COLUMNS

    if not tables:  # of a share without cells
        return pd.DataFrame(columns=[*COLUMNS])
    return pd.concat(tables.values(), ignore_index=True)


def where_to(results: Path | str | None, tier: str) -> Folders:
    """The folders of a verb that reads measurements.

    Raises:
        UsageError: There are none.
    """
    named = None if results is None else Path(results)
    return folders(named, one_of(TierName, tier).value)


@spread(Running, spoken=False)
def measure(wish: Running) -> pd.DataFrame:
    """Train and score what is missing; gives the rows of all cells that were asked for.

    Returns:
        Columns of ``Measurement``; the factors of all experiments as columns. What
        failed is a row with its status and reason. With ``dry_run`` what it would cost,
        see ``running.cost_of``.

    Raises:
        UsageError: What is asked for cannot be.
    """
    if wish.dry_run:
        return cost_of(wish)
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
    where = where_to(results, tier)
    from mae_bench.records.read import read_measurements

    return _joined(read_measurements(where.read / "measurements"))


def judge(
    results: Path | str | None = None, tier: str = "quick", *, fixed: bool = False
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Hold measurements against predictions; write verdicts, theories, forecasts.

    Args:
        results: See ``load_results``.
        tier: Likewise.
        fixed: Whether the number of seeds was chosen before any was seen: Student's
            test then decides each prediction alone.

    Returns:
        Verdicts, a row a prediction, and scores, a row a theory.
    """
    where = where_to(results, tier)
    from mae_bench.records.read import read_measurements, read_words
    from mae_bench.records.rows import processors
    from mae_bench.records.strength import ANYTIME, FIXED
    from mae_bench.training.threads import threads
    from mae_bench.verdicts import judge as verb
    from mae_bench.verdicts import registration

    measured = read_measurements(where.read / "measurements", read_words)
    if len(kinds := processors(measured)) > 1:
        # Each rounds otherwise, which is one more draw; see ``runs.provenance``.
        told = f"rows of {len(kinds)} kinds of processor are judged together, as seeds"
        tell(f"{told} are: {', '.join(kinds)}")
    known = registry.load_all("theories")
    rules = registration.registered(registered())
    first_seeds = {key: found.first_seed for key, found in rules.items()}
    rule = FIXED if fixed else ANYTIME
    with threads(1):
        judged = verb.judge(known, measured, first_seeds, rule)
    verb.write(judged, where.write)
    return judged.verdicts, judged.theories


def rank(results: Path | str | None = None, tier: str = "quick") -> pd.DataFrame:
    """Order the methods, with intervals, floor and ceiling; write leaderboard.csv.

    Args:
        results: See ``load_results``.
        tier: Likewise.

    Returns:
        A row a (dataset, method); see ``verdicts.rank.rank``.
    """
    where = where_to(results, tier)
    from mae_bench.records.read import read_measurements, read_words
    from mae_bench.verdicts import rank as verb

    folder = where.read / "measurements"
    board = verb.rank(read_measurements(folder, read_words, verb.RANKED))
    verb.write(board, where.write)
    return board


def rank_so_far(results: Path) -> None:
    """Write leaderboard.csv of the rows that are there, while others are measured."""
    if (results / "measurements" / "leaderboard.csv").exists():
        rank(results)


def plot(results: Path | str | None = None, tier: str = "quick") -> list[Path]:
    """Draw the figures from the CSVs; gives their files.

    Args:
        results: See ``load_results``.
        tier: Likewise.
    """
    where = where_to(results, tier)
    from mae_bench.pages import plot as verb
    from mae_bench.training.threads import threads

    with threads(1):
        return verb.plot(where, registry.load_all("experiments"))


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
        module: A network, or a spec: weights or a function; see ``encoders.specs``.

    Raises:
        UsageError: It cannot be read, or what is asked for cannot be.
    """
    registry.check("datasets", wish.datasets or ())
    from mae_bench.encoders import evaluate as verb
    from mae_bench.encoders import outsider, specs
    from mae_bench.runs import launch
    from mae_bench.training.places import reading_place
    from mae_bench.verdicts import rank as ranking

    if wish.track not in TRACKS:
        raise UsageError(f"unknown track {wish.track!r}; one of {', '.join(TRACKS)}")
    tier, output = wish.tier.value, wish.output
    where = reading_place(*launch.devices(wish.device, 1))
    worlds = verb.worlds_of(
        wish.datasets or verb.measured_worlds(beside(wish.results, tier), tier),
        wish.settings or [],
    )
    notes: list[str] = []
    if isinstance(module, str):
        spec, network = module, specs.load(module, wish.num_heads, notes.append)
    else:
        spec, network = type(module).__name__, module
    entrant = verb.Entrant(
        wish.name or (Path(spec).stem if Path(spec).exists() else spec.split(":")[-1]),
        outsider.Reader(network, where, wish.image_size, tell),
        {
            "source": Path(spec).name,
            "sha256": specs.identity(spec, network),
            "image_size": wish.image_size,
            "num_heads": wish.num_heads,
        },
        wish.track,
    )
    for note in notes:
        tell(note)
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
    board, lines = verb.place(
        path, worlds, beside(wish.results, tier), tier, entrant.track
    )
    ranking.write(board, output)
    for line in lines:
        tell(line)
    return Evaluation(board, verb.failures(path), output)


@spread(Evaluating, spoken=False)
def evaluate(wish: Evaluating, module: nn.Module | str) -> pd.DataFrame:
    """Measure a network, or what a spec stands for, and place it in the leaderboard.

    Args:
        wish: What it is shown, and where the rows go.
        module: A network, or a spec: weights or a function; see ``encoders.specs``.

    Returns:
        The leaderboard with it, on the worlds that it was shown.

    Raises:
        UsageError: It cannot be read, or what is asked for cannot be.
    """
    return evaluation(wish, module).board
