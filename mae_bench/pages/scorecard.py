"""Verdicts as figures: what every theory claims, and what became of it."""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch, Rectangle

from mae_bench.verdicts.planting import PLANTED

# Told apart under deuteranopia and protanopia as well, see the test.
COLOURS = {
    "supported": "#0b62a8",
    "refuted": "#b84300",
    "undecided": "#f2cd63",
    "void": "#5e2a66",
    "control_open": "#c78bd6",
    "untestable": "#68747f",
    "not_converged": "#a9d0f0",
    "depends_on_scale": "#0a5c55",
    "not_measured": "#dcdcdc",
}
DARK = ("supported", "refuted", "void", "untestable", "depends_on_scale")
SIGNS = {
    "supported": "\N{CHECK MARK}",
    "refuted": "\N{BALLOT X}",
    "undecided": "?",
    "void": "\N{EMPTY SET}",
    "control_open": "\N{CIRCLE WITH LEFT HALF BLACK}",
    "untestable": "\N{CIRCLED DIVISION SLASH}",
    "not_converged": "\N{HORIZONTAL ELLIPSIS}",
    "depends_on_scale": "\N{UP DOWN ARROW}",
    "not_measured": "\N{EN DASH}",
}
TILES = 10  # a line
NEW, DOT = "confirmatory", "\N{BULLET}"
TWO_SIDED = ("equality", "equivalence")


def tiles(table: pd.DataFrame) -> Figure:
    """Theories x predictions, a tile each, coloured by its verdict.

    Theories of which most is measured come first, planted nulls last. Theorems and
    what is derived from them have a frame; what new seeds have judged, and not the
    pilot's, has a dot.

    Args:
        table: ``verdicts.csv``.
    """
    groups = sorted(table.groupby("theory"), key=_most_measured)
    heights = [math.ceil(len(rows) / TILES) for _, rows in groups]
    total = sum(heights) + 0.25 * len(groups)
    figure, ax = plt.subplots(figsize=(12.5, 0.32 * total + 0.7))
    y = 0.0
    for (theory, rows), height in zip(groups, heights, strict=True):
        label = str(theory).replace("_", " ")
        ax.text(-0.15, y + height / 2, label, ha="right", va="center", fontsize=9)
        for k, row in enumerate(_in_order(rows).to_dict("records")):
            _tile(ax, k % TILES, y + k // TILES, row)
        y += height + 0.25
    ax.set_xlim(-2.6, TILES)
    ax.set_ylim(y, -0.1)
    ax.set_axis_off()
    ax.set_title(_whose(table), fontsize=9)
    handles = [Patch(color=COLOURS[v], label=named(v)) for v in COLOURS]
    figure.legend(handles=handles, loc="lower center", ncols=5, frameon=False)
    figure.tight_layout(rect=(0, 0.5 / (0.32 * total + 0.7), 1, 1))
    return figure


def named(verdict: str) -> str:
    """A verdict's sign and word."""
    return f"{SIGNS[verdict]} {verdict.replace('_', ' ')}"


def _whose(table: pd.DataFrame) -> str:
    """By whose seeds claims were judged, in words."""
    judged = table[(table["verdict"] != "not_measured") & ~planted(table)]
    new = int((judged["phase"] == NEW).sum())
    old = len(judged) - new
    return f"{new} judged by new seeds {DOT}, {old} by seeds that margins had seen"


def _most_measured(group: tuple[Hashable, pd.DataFrame]) -> tuple[bool, int, str]:
    """For sorting: what is planted comes last."""
    theory, rows = group
    measured = int((rows["verdict"] != "not_measured").sum())
    return bool(planted(rows).any()), -measured, str(theory)


def planted(table: pd.DataFrame) -> pd.Series[bool]:
    """Which claims are planted nulls."""
    return table["standing"].astype(str).str.startswith(PLANTED)


def _in_order(rows: pd.DataFrame) -> pd.DataFrame:
    """Predictions before what is not measured, each as the table has them."""
    return rows.sort_values("coverage", key=lambda c: c == 0, kind="stable")


def _tile(ax: Axes, x: int, y: float, row: Mapping[Hashable, object]) -> None:
    strict = str(row["standing"]).startswith(("theorem", "derived"))
    ax.add_patch(
        Rectangle(
            (x + 0.02, y + 0.05),
            0.96,
            0.9,
            facecolor=COLOURS[str(row["verdict"])],
            edgecolor="0.15" if strict else "none",
            lw=1.4,
        )
    )
    sign = SIGNS[str(row["verdict"])]
    number = f"{sign} {str(row['prediction']).partition('/')[2]}"
    number += f" {DOT}" * (row["phase"] == NEW)
    dark = row["verdict"] in DARK
    # A tile is as wide as fourteen letters of size 8.
    size = min(8.0, 112 / len(number))
    ax.text(
        x + 0.5,
        y + 0.5,
        number,
        ha="center",
        va="center",
        fontsize=size,
        color="white" if dark else "0.15",
    )
