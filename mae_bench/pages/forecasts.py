"""The theories head to head: how each orders a grid, and what chance would reach."""

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mae_bench.verdicts.forecast import MEAN


def head_to_head(table: pd.DataFrame) -> Figure:
    """Kendall's tau, a line a theory: a row of panels a grid, a column a world.

    Args:
        table: ``forecasts.csv``; grids that a single theory orders are left out.
    """
    grids = {
        str(name): rows
        for name, rows in table.groupby("forecast_of")
        if len({*rows.dropna(subset="skill")["theory"]}) > 1
    }
    if not grids:
        figure = plt.figure(figsize=(5, 1))
        figure.text(
            0.5, 0.5, "no grid that two theories forecast is measured", ha="center"
        )
        return figure
    drawn = pd.concat(grids.values()).dropna(subset="skill")
    there = {*drawn["world"]}
    worlds = [*sorted(there - {MEAN}), *({MEAN} & there)]
    heights = [rows["theory"].nunique() for rows in grids.values()]
    figure, axes = plt.subplots(
        len(grids),
        len(worlds),
        figsize=(2.3 * len(worlds) + 1.9, 0.3 * sum(heights) + 0.75 * len(grids) + 0.7),
        squeeze=False,
        sharex=True,
        height_ratios=heights,
    )
    for line, (name, rows) in zip(axes, grids.items(), strict=True):
        means = rows[rows["world"] == MEAN].set_index("theory")["skill"]
        order = list(means.sort_values(na_position="first").index)
        for ax, world in zip(line, worlds, strict=True):
            _panel(ax, rows[rows["world"] == world].set_index("theory"), order)
            shown = "mean of its worlds" if world == MEAN else world
            ax.set_title(f"{name}\n{shown}" if ax is line[0] else shown, fontsize=8)
            ax.set_yticks(
                range(len(order)), order if ax is line[0] else [""] * len(order)
            )
    for ax in axes[-1]:
        ax.set_xlabel("Kendall's tau")
    figure.suptitle(
        "Forecasts against what was trained. Dots: mean with 95 % over seeds. "
        "Shaded: 95 % of the same scores in random orders.\nnone: not forecast "
        "there, or not in all of its worlds.",
        fontsize=8,
    )
    figure.tight_layout()
    return figure


def _panel(ax: Axes, rows: pd.DataFrame, order: list[str]) -> None:
    """A line a theory; empty where it says nothing of the world."""
    ax.axvline(0, color="0.6", lw=1)
    for spot, theory in enumerate(order):
        if theory not in rows.dropna(subset="skill").index:
            ax.text(0.02, spot, "none", fontsize=7, va="center", color="0.4")
            continue
        row = rows.loc[theory]
        ax.barh(
            spot,
            row["null_high"] - row["null_low"],
            left=row["null_low"],
            height=0.8,
            color="0.85",
        )
        # A mean of ranks cannot leave [-1, 1]; its interval over few seeds may.
        ax.hlines(spot, max(row["low"], -1), min(row["high"], 1), color="C0", lw=2)
        ax.plot(row["skill"], spot, "o", ms=5, color="C0")
    ax.set_xlim(-1.05, 1.05)
    ax.set_ylim(-0.6, len(order) - 0.4)
    ax.grid(visible=False, axis="y")
