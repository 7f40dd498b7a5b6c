"""Strings that are needed against productions, drawn: tokens and latents, by level."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MultipleLocator

from mae_bench.experiments.sample_complexity import DEEPEST, DEPTHS, rules_of
from mae_bench.records.rows import matching
from mae_bench.records.stats import student_interval
from mae_bench.theories.latent_prediction import LINE

# Target in a tree of three levels -> its words, and the distance in the tree.
FAMILIES: Mapping[str, tuple[str, int]] = MappingProxyType(
    {
        "far_tokens/level_2": ("first level, tokens farther off", 5),
        "tokens/level_1": ("second level, tokens", 4),
        "tokens/level_2": ("first level, tokens", 3),
        "latents/level_1": ("second level, latents", 3),
    }
)


def draw(measured: Mapping[str, pd.DataFrame]) -> Figure | None:
    """P* against m, and against depth; what networks learn against images.

    Args:
        measured: Experiment -> its rows.

    Returns:
        None without rows of ``sample_complexity`` that say how many.
    """
    found = {name: rows[rows["status"] == "ok"] for name, rows in measured.items()}
    rows = found.get("sample_complexity", pd.DataFrame())
    trained = found.get("sample_complexity_trained", pd.DataFrame())
    if rows.empty or not rows["target"].isin(list(FAMILIES)).any():
        return None
    panels = 2 if trained.empty else 3
    figure, axes = plt.subplots(1, panels, figsize=(4.6 * panels, 4.4), squeeze=False)
    _powers(axes[0][0], rows)
    _depths(axes[0][1], rows)
    if panels == 3:
        _networks(axes[0][2], trained)
    figure.suptitle(
        "Strings from which a clustering of tuples by their contexts finds a "
        "hierarchy's latents. Points: seeds, each a grammar;\nbars and brackets: 95 % "
        "over them. Dashed: the power that the distance in the tree gives, of a free "
        "height.",
        fontsize=9,
    )
    figure.tight_layout()
    return figure


def whole(rows: pd.DataFrame, target: str) -> pd.DataFrame:
    """log2 P* of each seed against log2 m, at the sizes that every seed has.

    Where one lacks a number it was too large to be drawn, and the others are no sample.
    """
    at = dict(LINE)
    ours = rows[(rows["target"] == target) & rows["rules"].isin(list(at))]
    table = ours.pivot_table(index="seed", columns="rules", values="value")
    return table.rename(columns=at).sort_index(axis=1).dropna(axis=1)


def slopes(table: pd.DataFrame) -> list[float]:
    """Exponent of each seed; none of a single size."""
    if table.shape[1] < 2:
        return []
    found: list[float] = np.polyfit(table.columns, table.to_numpy().T, 1)[0].tolist()
    return found


def _powers(ax: Axes, rows: pd.DataFrame) -> None:
    at = dict(LINE)
    for k, (target, (words, distance)) in enumerate(FAMILIES.items()):
        table = whole(rows, target)
        if not (found := slopes(table)):
            continue
        x = np.array(table.columns, dtype=float)
        y = table.to_numpy()
        ax.plot(x, (y - distance * x).mean() + distance * x, "--", color=f"C{k}", lw=1)
        mean, low, high = student_interval(found)
        label = f"{words}: {mean:.2f} [{low:.2f}, {high:.2f}], derived {distance}"
        points = np.broadcast_to(x, y.shape).ravel()
        ax.plot(points, y.ravel(), "o", ms=4, color=f"C{k}", alpha=0.6, label=label)
    ax.set_xticks([*at.values()], [f"{2**place:.0f}" for place in at.values()])
    _powers_of_two(ax)
    ax.set_xlabel("m, productions of a symbol")
    ax.set_ylabel("P*, strings")
    ax.set_title("Three levels: log P* on log m", fontsize=9)
    ax.set_ylim(top=ax.get_ylim()[1] + 4)
    ax.legend(fontsize=6.5, loc="upper left")


def _depths(ax: Axes, rows: pd.DataFrame) -> None:
    styles = {"tokens": "s--", "latents": "o-"}
    for k, m in enumerate(DEEPEST):
        for context, style in styles.items():
            mine = rows[rows["target"] == f"{context}/level_1"]
            found = {
                depth: student_interval(values)
                for depth in DEPTHS
                if len(values := mine[mine["rules"] == rules_of(m, depth)]["value"])
            }
            if not found:
                continue
            mean, low, high = (
                np.array(side) for side in zip(*found.values(), strict=True)
            )
            bars = [mean - low, high - mean]
            ax.errorbar(
                np.array([*found]) + 0.05 * k,
                mean,
                bars,
                fmt=style,
                ms=4,
                capsize=2,
                color=f"C{k}",
                label=f"{context}, m = {m}",
            )
    ax.set_xticks(DEPTHS)
    _powers_of_two(ax)
    ax.set_xlabel("levels of the tree")
    ax.set_title("The level below the root, against depth", fontsize=9)
    ax.legend(fontsize=7)


def _networks(ax: Axes, rows: pd.DataFrame) -> None:
    asked = {"metric": "level_accuracy", "token": "mean", "target": "level_1"}
    second = matching(rows, asked)
    styles = dict(zip(sorted(second["rules"].unique()), ("-", ":", "--"), strict=False))
    for k, (method, mine) in enumerate(second.groupby("method")):
        for rule, ours in mine.groupby("rules"):
            means = ours.groupby("train_images")["value"].mean()
            m = str(rule).rpartition(":")[2]
            ax.plot(
                np.log2(means.index.to_numpy(float)),
                means,
                "o",
                ls=styles[rule],
                ms=4,
                color=f"C{k}",
                label=f"{method}, m = {m}",
            )
    ax.set_xlabel("log2 of training images")
    ax.set_title("Networks: accuracy of the second level", fontsize=9)
    ax.legend(fontsize=6.5)


def _powers_of_two(ax: Axes) -> None:
    ax.yaxis.set_major_formatter(lambda value, _: f"{2**value:,.0f}" if value else "1")
    ax.yaxis.set_major_locator(MultipleLocator(2))
