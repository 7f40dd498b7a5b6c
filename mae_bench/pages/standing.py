"""The leaderboard drawn: a panel a world, a line a method, its budgets as dots."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from mae_bench.pages.tables import UNITS
from mae_bench.records.schema import TRACKS
from mae_bench.verdicts.budgets import AT_COST, ON_THE_WAY
from mae_bench.verdicts.rank import is_common, leading
from mae_bench.verdicts.read_outs import LABEL_PROBE
from mae_bench.verdicts.standings import place

COLOURS: Mapping[str, str] = MappingProxyType(
    dict(zip(TRACKS, ("C0", "C1", "C2", "C3", "0.55"), strict=True))
)
# References that are lines through a panel -> their styles.
LINES: Mapping[str, str] = MappingProxyType(
    {"random_init": ":", "pixels": "--", "oracle_latents": "-"}
)
MARKS: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {
        "all methods as many steps, with 95 % over seeds": {"marker": "o", "ms": 5},
        "all may cost what MAE costs": {"marker": "D", "ms": 4, "mfc": "white"},
        "after 1/8, 1/4, 1/2 of the steps": {"marker": ".", "ms": 4, "alpha": 0.5},
    }
)


def draw(board: pd.DataFrame) -> Figure:
    """What the frozen features of each method tell.

    Args:
        board: ``leaderboard.csv``.
    """
    panels = _panels(board)
    if not panels:
        return _nothing("no cell of the leaderboard has been measured")
    order = _by_track(panels)
    size = (3.1 * len(panels) + 1.2, 0.3 * len(order) + 2.5)
    figure, axes = plt.subplots(
        1, len(panels), figsize=size, squeeze=False, sharey=True
    )
    for (dataset, (name, rows)), ax in zip(panels.items(), axes[0], strict=True):
        _panel(ax, rows.set_index("method").reindex(order), name)
        ax.set_title(f"{dataset}\n{_said(name)}", fontsize=9)
        ax.set_xlabel(UNITS[name], fontsize=8)
    axes[0][0].invert_yaxis()
    there = [track for track in TRACKS if track in {*board["track"]}]
    handles = [_mark(COLOURS[track], track) for track in there]
    handles += [_mark("0.3", label, **mark) for label, mark in MARKS.items()]
    handles += [
        Line2D([], [], color="0.4", ls=style, lw=1, label=name)
        for name, style in LINES.items()
        if name in order
    ]
    figure.legend(
        handles=handles, loc="lower center", ncols=3, frameon=False, fontsize=8
    )
    figure.suptitle(
        "What frozen features tell of held-out images: their class, or the world's "
        "causes.\nColours: what a method is told while it learns. At the right: its "
        "rank among those of its colour\n(1-3: not settled by the seeds).",
        fontsize=8,
    )
    figure.tight_layout(rect=(0, 0.9 / size[1], 1, 1))
    return figure


def _panels(board: pd.DataFrame) -> dict[str, tuple[str, pd.DataFrame]]:
    """Dataset -> the number that it is drawn by, and its rows.

    Where most methods have classes to tell it is the label probe. Worlds with both
    budgets come first.
    """
    found = {}
    for dataset, rows in board.groupby("dataset"):
        labels = is_common(rows, LABEL_PROBE.name)
        name = LABEL_PROBE.name if labels else leading(rows).name
        if rows[name].notna().any():
            found[str(dataset)] = (name, rows)
    one_budget = {d: rows[AT_COST.name].isna().all() for d, (_, rows) in found.items()}
    return {d: found[d] for d in sorted(found, key=one_budget.__getitem__)}


def _by_track(panels: Mapping[str, tuple[str, pd.DataFrame]]) -> list[str]:
    """Methods, those of a track together, the best of each on the first panel first."""
    rows = pd.concat(rows for _, rows in panels.values())
    tracks = rows.groupby("method")["track"].agg(lambda t: max(map(TRACKS.index, t)))
    means = pd.DataFrame(
        {d: rows.set_index("method")[name] for d, (name, rows) in panels.items()}
    )
    keys = {m: (tracks[m], *(-means.loc[m]).fillna(math.inf)) for m in tracks.index}
    return sorted(keys, key=keys.__getitem__)


def _panel(ax: Axes, rows: pd.DataFrame, name: str) -> None:
    spots = np.arange(len(rows))
    colours = [COLOURS.get(track, "0.55") for track in rows["track"]]
    if name == LABEL_PROBE.name:
        _other_budgets(ax, rows, spots, colours)
    # Accuracies and R² end at 1, whatever a Student's interval of few seeds does.
    low, high = (rows[name + end] for end in ("_low", "_high"))
    low = low.clip(lower=0) if name == LABEL_PROBE.name else low
    ax.hlines(spots, low, high.clip(upper=1), colors=colours, lw=2)
    ax.scatter(rows[name], spots, c=colours, zorder=3, s=22)
    for reference, style in LINES.items():
        if reference in rows.index:
            ax.axvline(float(rows[name][reference]), color="0.4", ls=style, lw=1)
    at = ax.get_yaxis_transform()
    ranks = zip(rows[f"{name}_rank_best"], rows[f"{name}_rank_worst"], strict=True)
    for spot, ends in enumerate(ranks):
        if not math.isnan(ends[0]):
            words = place(*ends)
            ax.text(
                1.01, spot, words, transform=at, va="center", fontsize=7, color="0.3"
            )
    ax.set_yticks(spots, rows.index)


def _other_budgets(
    ax: Axes, rows: pd.DataFrame, spots: np.ndarray, colours: Sequence[str]
) -> None:
    """The number at equal cost, and the way to the number at equal steps."""
    way = rows[[*ON_THE_WAY.values(), LABEL_PROBE.name]].to_numpy(float)
    for spot, points, colour in zip(spots, way, colours, strict=True):
        ax.plot(points, [spot] * len(points), ".-", color=colour, alpha=0.5, ms=5, lw=1)
    ax.scatter(
        rows[AT_COST.name],
        spots + 0.22,
        marker="D",
        s=13,
        facecolors="white",
        edgecolors=colours,
        zorder=4,
    )


def _mark(colour: str, label: str, **mark: Any) -> Line2D:
    style: dict[str, Any] = {"marker": "o", "ms": 5, "ls": ""} | mark
    return Line2D([], [], color=colour, label=label, **style)


def _said(name: str) -> str:
    return f"{name.replace('_', ' ')} ↑"


def _nothing(why: str) -> Figure:
    figure = plt.figure(figsize=(5, 1))
    figure.text(0.5, 0.5, why, ha="center", va="center")
    return figure
