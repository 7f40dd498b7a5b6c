"""CSV -> figures: nothing is measured again, and no point stands without interval."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import matplotlib as mpl

mpl.use("agg")

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mae_bench.experiments import Experiment
from mae_bench.metrics import Metric
from mae_bench.pages import (
    exact,
    forecasts,
    limits,
    sample_complexity,
    scorecard,
    standing,
    trials,
)
from mae_bench.records.folders import Folders
from mae_bench.records.read import read_measurements
from mae_bench.records.schema import Setting
from mae_bench.records.stats import student_interval

ARROWS = {"max": " ↑", "min": " ↓", "target": "", "none": ""}
DPI = 110


def sweep(
    rows: pd.DataFrame,
    experiment: Experiment,
    factor: str,
    floor: pd.DataFrame | None = None,
) -> Figure:
    """Metrics against a factor: a row a dataset, a line a method.

    Args:
        rows: The experiment's measurements.
        experiment: Says what is drawn.
        factor: Column of ``rows`` along the x axis.
        floor: Measurements of untrained encoders, drawn as a dashed line.
    """
    datasets = sorted(rows["dataset"].unique())
    shape = (len(datasets), len(experiment.drawn))
    size = (3.2 * shape[1] + 0.4, 2.4 * shape[0] + 1.0)
    figure, axes = plt.subplots(*shape, figsize=size, squeeze=False, sharex=True)
    for dataset, line in zip(datasets, axes, strict=True):
        for (metric, target), ax in zip(experiment.drawn, line, strict=True):
            at = {"metric": metric.id, "target": target, "dataset": dataset}
            _lines(ax, _where(rows, **at), factor)
            if floor is not None:
                _floor(ax, _where(floor, **at))
            ax.set_title(_label(metric, target) if ax in axes[0] else "", fontsize=9)
            ax.set_xlabel(factor if ax in axes[-1] else "")
            if not ax.lines:
                _absent(ax)
        line[0].set_ylabel(dataset)
    handles, labels = _legend(axes.flat)
    figure.legend(handles, labels, loc="lower center", ncols=4, frameon=False)
    figure.suptitle(f"{experiment.question} Bars: 95 % over seeds.", fontsize=9)
    figure.tight_layout(rect=(0, 0.08 / shape[0], 1, 1))
    return figure


def _where(rows: pd.DataFrame, **at: str) -> pd.DataFrame:
    keep = (rows["status"] == "ok") & rows["token"].isin(["mean", ""])
    keep &= rows["view"].isin(["unmasked", ""])
    for column, value in at.items():
        keep &= rows[column] == value
    return rows[keep]


def _lines(ax: Axes, rows: pd.DataFrame, factor: str) -> None:
    levels = sorted(rows[factor].unique())
    # Levels stand at equal distances: lambda has a zero, ratios bunch at the ends.
    for k, (method, mine) in enumerate(rows.groupby("method")):
        spots = np.arange(len(levels)) + 0.06 * k
        means = [student_interval(mine.loc[mine[factor] == x, "value"]) for x in levels]
        mean, low, high = (np.array(m) for m in zip(*means, strict=True))
        bars = [mean - low, high - mean]
        ax.errorbar(
            spots, mean, bars, marker="o", ms=4, capsize=2, label=method, color=f"C{k}"
        )
    ax.set_xticks(range(len(levels)), [_level(x) for x in levels])


def _level(value: Setting) -> str:
    return f"{value:g}" if isinstance(value, int | float) else str(value)


def _floor(ax: Axes, rows: pd.DataFrame) -> None:
    if len(rows):
        level = rows["value"].mean()
        ax.axhline(level, color="0.5", ls="--", lw=1, label="random_init")


def _absent(ax: Axes) -> None:
    ax.text(
        0.5, 0.5, "does not apply", transform=ax.transAxes, ha="center", color="0.5"
    )
    ax.set_yticks([])


def _label(metric: Metric, target: str) -> str:
    name = metric.id.replace("_", " ") + ARROWS[metric.direction]
    return f"{name}, {target}" if target else name


def _legend(axes: Iterable[Axes]) -> tuple[list[Any], list[str]]:
    found: dict[str, Any] = {}
    for ax in axes:
        for handle, label in zip(*ax.get_legend_handles_labels(), strict=True):
            found.setdefault(label, handle)
    return list(found.values()), list(found)


OF_A_TABLE: Mapping[str, tuple[str, Callable[[pd.DataFrame], Figure]]] = (
    MappingProxyType(
        {
            "leaderboard": ("leaderboard.csv", standing.draw),
            "verdicts": ("verdicts.csv", scorecard.tiles),
            "effects": ("verdicts.csv", scorecard.effects),
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
    sns.set_theme(style="whitegrid", font_scale=0.85)
    found = read_measurements(where.read / "measurements")
    measured = {name: rows for name, rows in found.items() if len(rows)}
    figures: dict[str, Figure] = {}
    board = measured.get("leaderboard")
    floor = None if board is None else board[board["method"] == "random_init"]
    for name, experiment in experiments.items():
        if name in measured and experiment.drawn and len(experiment.factors) == 1:
            factor = next(iter(experiment.factors))
            figures[name] = sweep(measured[name], experiment, factor, floor)
    if "learning_rates" in measured:
        figures["learning_rates"] = trials.draw(measured["learning_rates"])
    for name, limit in limits.LIMITS.items():
        if limit.experiment in measured:
            figures[name] = limits.draw(limit, measured[limit.experiment])
    if any(limit.experiment in measured for limit in limits.LIMITS.values()):
        figures["located_latents"] = exact.located_latents()
        figures["mask_graph"] = exact.mask_graph_figure()
    figures |= _of_rows(measured)
    for name, (table, draw) in OF_A_TABLE.items():
        if (path := where.find(table)).exists():
            figures[name] = draw(pd.read_csv(path))
    folder = where.write / "figures"
    return [_save(figure, folder / f"{k}.png") for k, figure in figures.items()]


def _of_rows(measured: Mapping[str, pd.DataFrame]) -> dict[str, Figure]:
    drawn = {name: of_rows(measured) for name, of_rows in OF_ROWS.items()}
    return {name: figure for name, figure in drawn.items() if figure is not None}


def _save(figure: Figure, path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    # No software version in the file: equal figures are equal bytes.
    figure.savefig(path, dpi=DPI, metadata={"Software": None})
    plt.close(figure)
    return path
