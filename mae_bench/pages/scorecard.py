"""Verdicts as figures: what every theory claims, and what became of it."""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch, Rectangle

from mae_bench.verdicts.planting import PLANTED

COLOURS = {
    "supported": "#2a9d5c",
    "refuted": "#d1495b",
    "undecided": "#edae49",
    "void": "#8d6a9f",
    "control_open": "#b8a1c9",
    "untestable": "#7a8ca3",
    "not_converged": "#a9b8c9",
    "depends_on_scale": "#3d7ea6",
    "not_measured": "#d0d0d0",
}
DARK = ("supported", "refuted", "void", "untestable", "depends_on_scale")
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
    handles = [Patch(color=c, label=v.replace("_", " ")) for v, c in COLOURS.items()]
    figure.legend(handles=handles, loc="lower center", ncols=5, frameon=False)
    figure.tight_layout(rect=(0, 0.5 / (0.32 * total + 0.7), 1, 1))
    return figure


def _whose(table: pd.DataFrame) -> str:
    """By whose seeds claims were judged, in words."""
    judged = table[(table["verdict"] != "not_measured") & ~_planted(table)]
    new = int((judged["phase"] == NEW).sum())
    old = len(judged) - new
    return f"{new} judged by new seeds {DOT}, {old} by seeds that margins had seen"


def _most_measured(group: tuple[Hashable, pd.DataFrame]) -> tuple[bool, int, str]:
    """For sorting: what is planted comes last."""
    theory, rows = group
    measured = int((rows["verdict"] != "not_measured").sum())
    return bool(_planted(rows).any()), -measured, str(theory)


def _planted(table: pd.DataFrame) -> pd.Series[bool]:
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
    number = str(row["prediction"]).partition("/")[2]
    number += f" {DOT}" * (row["phase"] == NEW)
    dark = row["verdict"] in DARK
    size = 8 if len(number) < 12 else 6
    ax.text(
        x + 0.5,
        y + 0.5,
        number,
        ha="center",
        va="center",
        fontsize=size,
        color="white" if dark else "0.15",
    )


def effects(table: pd.DataFrame) -> Figure:
    """Every measured claim's interval, coloured by its verdict; without planted nulls.

    Effects are divided by their margin; a filled dot is of new seeds, a hollow one of
    the pilot's. Right of 1 is what is claimed; of an
    equality, an equivalence or a bound it lies between the grey ends of its band.

    Args:
        table: ``verdicts.csv``.
    """
    rows = table[table["estimate"].notna() & ~_planted(table)].sort_values(
        ["theory", "prediction"], ignore_index=True
    )
    figure, ax = plt.subplots(figsize=(8.4, 0.21 * len(rows) + 1.0))
    unit = rows["margin"].abs().where(rows["margin"] != 0, 1.0)
    for y, row in enumerate(rows.to_dict("records")):
        colour = COLOURS[row["verdict"]]
        mid, low, high = (row[c] / unit[y] for c in ("estimate", "ci_low", "ci_high"))
        ax.axhspan(y - 0.45, y + 0.45, color=colour, alpha=0.15, lw=0)
        if row["form"] in (*TWO_SIDED, "bound"):
            end = 1 if row["form"] in TWO_SIDED else np.inf
            ax.plot([-1, min(end, 1e3)], [y, y], color="0.8", lw=5, zorder=1)
        ax.plot([low, high], [y, y], color=colour, lw=2)
        filled = colour if row["phase"] == NEW else "white"
        ax.plot(mid, y, "o", color=colour, mfc=filled, ms=4)
    ax.axvline(1, color="0.3", lw=1)
    ax.set_xscale("symlog", linthresh=2)
    ax.xaxis.set_major_formatter("{x:g}")
    ax.set_yticks(range(len(rows)), rows["prediction"], fontsize=7)
    ax.set_ylim(max(len(rows), 1) - 0.5, -0.5)
    ax.set_xlabel("effect / margin (claimed: right of the line, or inside a grey band)")
    ax.set_title(f"hollow: seeds that margins had seen; {DOT}: new ones", fontsize=8)
    figure.tight_layout()
    return figure
