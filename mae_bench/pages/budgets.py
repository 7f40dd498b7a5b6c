"""What training costs and buys: seconds of each method, and its learning curve."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mae_bench.pages.sweeps import MARKERS, with_bars
from mae_bench.records.rows import matching, over_roundings, seed_means
from mae_bench.records.stats import student_interval
from mae_bench.verdicts.rank import FLOOR
from mae_bench.verdicts.read_outs import LABEL_PROBE, chosen, with_label_probe

COLUMNS = 5


def draw(measured: Mapping[str, pd.DataFrame]) -> Iterator[tuple[str, Figure]]:
    """The figures that the rows allow, each with its name.

    Args:
        measured: Experiment id -> its rows.
    """
    board = measured.get("leaderboard")
    if board is None:
        return
    cells = board.drop_duplicates("cell")
    if len(cells := cells[cells["train_seconds"] > 0]):
        yield "cost", cost(cells)
    points = curves(board, measured.get("learning_curves", board.head(0)))
    if len({*points["stop"]}) > 1:
        yield "learning_curves", learning_curves(points)


def cost(cells: pd.DataFrame) -> Figure:
    """Seconds of training, as many steps for all: a panel a world.

    Args:
        cells: Cells of the leaderboard that were trained, a row each.
    """
    worlds = [(str(name), mine) for name, mine in cells.groupby("dataset")]
    methods = cells.groupby("method")["train_seconds"].mean().sort_values().index
    size = (2.9 * len(worlds) + 1.6, 0.25 * len(methods) + 1.4)
    figure, axes = plt.subplots(
        1, len(worlds), figsize=size, sharey=True, squeeze=False
    )
    for (name, mine), ax in zip(worlds, axes[0], strict=True):
        for spot, method in enumerate(methods):
            seconds = mine.loc[mine["method"] == method, "train_seconds"]
            mean, low, high = student_interval(seconds)
            ax.hlines(spot, max(low, 0), high, color="C0", lw=2)
            ax.plot(mean, spot, "o", color="C0", ms=5)
        ax.set_xlim(left=0)
        ax.set_yticks(range(len(methods)), methods)
        ax.set_title(name, fontsize=9)
        ax.set_xlabel("seconds of training")
    figure.suptitle(
        "What training costs, as many steps for all; 95 % over seeds.", fontsize=9
    )
    figure.tight_layout()
    return figure


def curves(board: pd.DataFrame, ways: pd.DataFrame) -> pd.DataFrame:
    """The label probe of each seed on the way and at the end.

    Args:
        board: Measurements of the leaderboard.
        ways: Measurements of the experiment ``learning_curves``.

    Returns:
        Columns dataset, method, stop, seed, value. A method's read-out is that of the
        end.
    """
    found = []
    for name, ends in over_roundings(board).groupby("dataset"):
        ends = ends[ends["view"].isin(["unmasked", ""])]
        reads = chosen(ends)
        way = over_roundings(ways[ways["dataset"] == name])
        rows = [with_label_probe(ends, reads).assign(stop=1.0)]
        if len(way):  # at whose end are the leaderboard's own cells
            rows.append(with_label_probe(way[way["stop"] < 1], reads))
        where = {"metric": LABEL_PROBE.metric, "status": "ok", "target": ""}
        mine = matching(pd.concat(rows), where | {"token": LABEL_PROBE.token})
        means = seed_means(mine, "method", "stop").rename("value").reset_index()
        found.append(means.assign(dataset=name))
    return pd.concat(found)


def learning_curves(points: pd.DataFrame) -> Figure:
    """A panel a method, a line a world, to scale; dashed: untrained.

    Args:
        points: See ``curves``.
    """
    several = points.groupby("method")["stop"].transform("nunique") > 1
    shown = points[several]
    methods = sorted(shown["method"].unique())
    worlds = sorted(shown["dataset"].unique())
    lines = -(-len(methods) // COLUMNS)
    size = (2.1 * COLUMNS + 0.4, 1.6 * lines + 1.1)
    figure, axes = plt.subplots(
        lines, COLUMNS, figsize=size, sharex=True, sharey=True, squeeze=False
    )
    for method, ax in zip(methods, axes.flat, strict=False):
        for k, world in enumerate(worlds):
            at = {"dataset": world, "method": method}
            _curve(ax, matching(shown, at), world, k)
            floor = matching(points, {"dataset": world, "method": FLOOR})
            if len(floor):
                ax.axhline(floor["value"].mean(), color=f"C{k}", ls="--", lw=1)
        ax.set_title(method, fontsize=8)
        ax.set_xticks([0, 0.5, 1], ["0", ".5", "1"])
        ax.set_ylim(top=1.02)
    for ax in axes.flat[len(methods) :]:
        ax.set_axis_off()
    for ax in axes.flat[max(len(methods) - COLUMNS, 0) : len(methods)]:
        ax.tick_params(labelbottom=True)  # the last of a column, which may be shorter
    for line in axes:
        line[0].set_ylabel("accuracy", fontsize=8)
    handles, labels = axes[0][0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="lower center", ncols=4, frameon=False)
    figure.suptitle(
        "Label probe against the share of the training steps; bars: 95 % over seeds; "
        "dashed: untrained.",
        fontsize=9,
    )
    figure.tight_layout(rect=(0, 0.4 / size[1], 1, 1))
    return figure


def _curve(ax: Axes, rows: pd.DataFrame, world: str, k: int) -> None:
    if rows.empty:
        return
    stops = rows.groupby("stop")["value"]
    mean, bars = with_bars((values for _, values in stops), 0.0, 1.0)
    style: dict[str, Any] = {"marker": MARKERS[k], "ms": 3.5, "lw": 1, "capsize": 2}
    ax.errorbar(
        np.array([*stops.groups], float),
        mean,
        bars,
        label=world,
        color=f"C{k}",
        **style,
    )
