"""CSV -> figures: nothing is measured again, and no point stands without interval."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType

import matplotlib as mpl

mpl.use("agg")

import matplotlib.pyplot as plt
import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure

from mae_bench.experiments import Experiment
from mae_bench.pages import (
    budgets,
    effects,
    exact,
    forecasts,
    limits,
    sample_complexity,
    scorecard,
    standing,
    trials,
)
from mae_bench.pages.inputs import frame
from mae_bench.pages.sweeps import sweep
from mae_bench.records.folders import Folders
from mae_bench.records.read import read_measurements

DPI = 110

OF_A_TABLE: Mapping[str, tuple[str, Callable[[pd.DataFrame], Figure]]] = (
    MappingProxyType(
        {
            "leaderboard": ("leaderboard.csv", standing.draw),
            "verdicts": ("verdicts.csv", scorecard.tiles),
            "conflicts": ("verdicts.csv", effects.conflicts),
            "forecasts": ("forecasts.csv", forecasts.head_to_head),
        }
    )
)

# Of all that was measured; None where that has not been.
OF_ROWS: Mapping[str, Callable[[Mapping[str, pd.DataFrame]], Figure | None]] = (
    MappingProxyType(
        {
            "two_sample_floor": exact.two_sample_floor,
            "sample_complexity": sample_complexity.draw,
        }
    )
)


def plot(where: Folders, experiments: Mapping[str, Experiment]) -> list[Path]:
    """Draw every figure that the CSVs allow.

    Args:
        where: Their folders.
        experiments: Id -> what is drawn of it.

    Returns:
        The files written, in ``figures``.
    """
    # Colours that are told apart without red or green.
    sns.set_theme(style="whitegrid", palette="colorblind", font_scale=0.85)
    folder = where.write / "figures"
    drawn = _figures(where, experiments)
    return [_save(figure, folder / f"{name}.png") for name, figure in drawn]


def _figures(
    where: Folders, experiments: Mapping[str, Experiment]
) -> Iterator[tuple[str, Figure]]:
    """Name and figure, one after the other: each is closed before the next is made."""
    found = read_measurements(where.read / "measurements")
    measured = {name: rows for name, rows in found.items() if len(rows)}
    yield from _sweeps(measured, experiments)
    if "learning_rates" in measured:
        yield "learning_rates", trials.draw(measured["learning_rates"])
    yield from _of_oracles(measured)
    for name, (table, draw) in OF_A_TABLE.items():
        if (path := where.find(table)).exists():
            yield name, draw(frame(path))
    if (path := where.find("verdicts.csv")).exists():
        yield from effects.pages(frame(path))
    yield from budgets.draw(measured)


def _sweeps(
    measured: Mapping[str, pd.DataFrame], experiments: Mapping[str, Experiment]
) -> Iterator[tuple[str, Figure]]:
    """Of the experiments with a single factor."""
    board = measured.get("leaderboard")
    floor = None if board is None else board[board["method"] == "random_init"]
    for name, experiment in experiments.items():
        if name in measured and experiment.drawn and len(experiment.factors) == 1:
            factor = next(iter(experiment.factors))
            yield name, sweep(measured[name], experiment, factor, floor)


def _of_oracles(
    measured: Mapping[str, pd.DataFrame],
) -> Iterator[tuple[str, Figure]]:
    """Exact answers, beside what was trained."""
    there = {n: x for n, x in limits.LIMITS.items() if x.experiment in measured}
    for name, limit in there.items():
        yield name, limits.draw(limit, measured[limit.experiment])
    if there:
        yield "located_latents", exact.located_latents()
        yield "mask_graph", exact.mask_graph_figure()
    for name, of_rows in OF_ROWS.items():
        if (figure := of_rows(measured)) is not None:
            yield name, figure


def _save(figure: Figure, path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    # No software version in the file: equal figures are equal bytes.
    figure.savefig(path, dpi=DPI, metadata={"Software": None})
    plt.close(figure)
    return path
