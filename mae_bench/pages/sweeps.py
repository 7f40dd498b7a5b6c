"""A figure of a sweep: metrics against a factor, its numbers to scale."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from textwrap import fill
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from mae_bench.experiments import Experiment
from mae_bench.metrics import Metric
from mae_bench.records.stats import student_interval

ARROWS = {"max": " ↑", "min": " ↓", "target": "", "none": ""}
UNITS = {
    "coupling": "J of neighbours",
    "decoder_depth": "blocks",
    "depth": "blocks",
    "lamb": "weight of the loss",
    "mask_ratio": "share of the patches",
    "mask_unit": "pixels",
    "patch_size": "pixels",
    "stop": "share of the steps",
}
MARKERS = "osD^vP"
LETTERS = 12.5  # of a title, an inch
LEAST_SPAN = 0.02  # of the largest number that an axis shows


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
        factor: Column of ``rows`` along the x axis; numbers stand to scale, and what
            has no order is not joined.
        floor: Measurements of untrained encoders, drawn as a dashed line.
    """
    datasets = sorted(rows["dataset"].unique())
    shape = (len(datasets), len(experiment.drawn))
    size = (max(3.2 * shape[1] + 0.4, 4.8), 2.4 * shape[0] + 1.0)
    figure, axes = plt.subplots(*shape, figsize=size, squeeze=False, sharex=True)
    scale = Scale(sorted(rows[factor].dropna().unique()))
    for dataset, line in zip(datasets, axes, strict=True):
        for (metric, target), ax in zip(experiment.drawn, line, strict=True):
            at = {"metric": metric.id, "target": target, "dataset": dataset}
            _lines(ax, _where(rows, **at), factor, scale, metric)
            if floor is not None:
                _floor(ax, _where(floor, **at))
            ax.set_title(_label(metric, target) if ax in axes[0] else "", fontsize=9)
            ax.set_xlabel(_with_unit(factor) if ax in axes[-1] else "")
            scale.ticks(ax)
            if ax.lines:
                _within(ax, metric)
            else:
                _absent(ax)
        line[0].set_ylabel(dataset)
    handles, labels = _legend(axes.flat)
    figure.legend(handles, labels, loc="lower center", ncols=4, frameon=False)
    words = f"{experiment.question} Bars: 95\N{NO-BREAK SPACE}% over seeds"
    if any(line.get_markerfacecolor() == "white" for line in figure.findobj(Line2D)):
        words += "; hollow: a single seed"
    title = fill(f"{words}.", int(LETTERS * size[0]))
    figure.suptitle(title, fontsize=9)
    figure.align_ylabels()
    figure.tight_layout(rect=(0, 0.08 / shape[0], 1, 1))
    return figure


def _where(rows: pd.DataFrame, **at: str) -> pd.DataFrame:
    keep = (rows["status"] == "ok") & rows["token"].isin(["mean", ""])
    keep &= rows["view"].isin(["unmasked", ""])
    for column, value in at.items():
        keep &= rows[column] == value
    return rows[keep]


@dataclass(frozen=True)
class Scale:
    """Where the levels of a factor stand: numbers to scale, words side by side.

    Args:
        levels: In their order.
    """

    levels: Sequence[Any]

    @property
    def ordered(self) -> bool:
        """Whether they are numbers, so that what lies between them has a meaning."""
        return all(
            isinstance(x, int | float | np.number) and not isinstance(x, bool | np.bool)
            for x in self.levels
        )

    @property
    def least(self) -> float:
        """The least level above 0 if the axis is to be logarithmic, else 0."""
        above = [float(x) for x in self.levels if float(x) > 0]
        wide = len(above) > 1 and max(above) > 30 * min(above)
        return min(above) if wide else 0.0

    def spot(self, level: Any, k: int) -> float:
        """Where the k-th method's point of a level is, a little beside the others."""
        if not self.ordered:
            return self.levels.index(level) + 0.08 * k
        if self.least:
            return float(level) * 1.06**k
        span = float(self.levels[-1]) - float(self.levels[0])
        return float(level) + 0.012 * k * span

    def ticks(self, ax: Axes) -> None:
        """Name the levels, but for those too near to the one before."""
        if not self.ordered:
            ax.set_xticks(range(len(self.levels)), [str(x) for x in self.levels])
            ax.margins(x=0.15)
            return
        if self.least:
            ax.set_xscale("symlog", linthresh=self.least)
            ax.set_xticks(self.levels, [f"{x:g}" for x in self.levels], minor=False)
            ax.minorticks_off()
            return
        span, shown = float(self.levels[-1]) - float(self.levels[0]), list[float]()
        for level in map(float, self.levels):
            if not shown or level - shown[-1] >= 0.08 * span:
                shown.append(level)
        ax.set_xticks(shown, [f"{x:g}" for x in shown])


def _lines(
    ax: Axes, rows: pd.DataFrame, factor: str, scale: Scale, metric: Metric
) -> None:
    for k, (method, mine) in enumerate(rows.groupby("method")):
        levels = [x for x in scale.levels if (mine[factor] == x).any()]
        spots = np.array([scale.spot(x, k) for x in levels])
        values = [mine.loc[mine[factor] == x, "value"] for x in levels]
        mean, bars = with_bars(values, metric.lower, metric.upper)
        style: dict[str, Any] = {
            "marker": MARKERS[k % len(MARKERS)],
            "ms": 4,
            "color": f"C{k}",
        }
        joined = "-" if scale.ordered else ""
        ax.errorbar(spots, mean, bars, capsize=2, ls=joined, label=method, **style)
        if (alone := np.isnan(bars[0])).any():
            ax.plot(spots[alone], mean[alone], **style, mfc="white", ls="", zorder=3)


def with_bars(
    groups: Iterable[npt.ArrayLike], lower: float = -math.inf, upper: float = math.inf
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Means of groups of seeds, and the bars of their 95 % intervals.

    Args:
        groups: Numbers of a point, one a seed.
        lower: The least that is possible; no bar goes beyond it.
        upper: The greatest.

    Returns:
        Means, and the lengths of the bars below and above them, NaN of a single seed.

    >>> with_bars([[1.0, 1.0]])[1].tolist()
    [[0.0], [0.0]]
    """
    numbers = [student_interval(values) for values in groups]
    mean, low, high = np.array(numbers, float).reshape(-1, 3).T
    least, most = np.minimum(lower, mean), np.maximum(upper, mean)
    return mean, np.array(
        [mean - np.maximum(low, least), np.minimum(high, most) - mean]
    )


def _within(ax: Axes, metric: Metric) -> None:
    """Let the axis end, but for a marker's width, where its metric does."""
    widen(ax)
    low, high = ax.get_ylim()
    room = 0.02 * (high - low)
    ax.set_ylim(max(low, metric.lower - room), min(high, metric.upper + room))
    ax.ticklabel_format(axis="y", useOffset=False)


def widen(ax: Axes) -> None:
    """Let an axis span so much that what hardly differs does not look as if it did."""
    low, high = ax.get_ylim()
    room = LEAST_SPAN * max(abs(low), abs(high)) - (high - low)
    if room > 0:
        ax.set_ylim(low - room / 2, high + room / 2)


def _with_unit(name: str) -> str:
    return f"{name} ({UNITS[name]})" if name in UNITS else name


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
    unit = metric.unit_of(target)
    return (f"{name}, {target}" if target else name) + f"\n{unit}" * bool(unit)


def _legend(axes: Iterable[Axes]) -> tuple[list[Any], list[str]]:
    found: dict[str, Any] = {}
    for ax in axes:
        for handle, label in zip(*ax.get_legend_handles_labels(), strict=True):
            found.setdefault(label, handle)
    return list(found.values()), list(found)
