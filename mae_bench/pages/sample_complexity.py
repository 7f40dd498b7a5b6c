"""Strings that are needed against productions, drawn: tokens and latents, by level."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.gridspec import SubplotSpec
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

# What learns nothing is a dashed line.
STYLES: Mapping[str, str] = MappingProxyType({"random_init": "--"})


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
    second = _second(trained)
    networks = sorted(second["rules"].unique(), key=productions_of)
    figure = plt.figure(figsize=(9.2, 8.4 if networks else 4.4))
    grid = figure.add_gridspec(2 if networks else 1, 1)
    powers, depths = grid[0].subgridspec(1, 2).subplots(squeeze=False)[0]
    _powers(powers, rows)
    _depths(depths, rows)
    if networks:
        _networks(grid[1], second, networks)
    figure.suptitle(
        "Strings from which a clustering of tuples by their contexts finds a "
        "hierarchy's latents, and what networks find.\nPoints: seeds, each a grammar; "
        "bars and brackets: 95 % over them. Dashed: the power that the distance in the "
        "tree gives, of a free height.",
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


def productions_of(rules: str) -> int:
    """M of a world whose levels have as many each.

    >>> productions_of("random:12,random:12")
    12
    """
    return int(rules.rpartition(":")[2])


def _second(trained: pd.DataFrame) -> pd.DataFrame:
    """What a linear map of the mean token tells of the second level."""
    asked = {"metric": "level_accuracy", "token": "mean", "target": "level_1"}
    found = matching(trained, asked) if len(trained) else trained
    return found if len(found) else pd.DataFrame(columns=["rules"])


def _networks(where: SubplotSpec, second: pd.DataFrame, networks: list[str]) -> None:
    """A panel a grammar, at one scale."""
    spec = where.subgridspec(1, len(networks))
    panels = spec.subplots(sharey=True, squeeze=False)[0]
    for ax, rules in zip(panels, networks, strict=True):
        _network(ax, second[second["rules"] == rules])
        ax.set_title(f"Networks, m = {productions_of(rules)}", fontsize=9)
    panels[0].set_ylabel("accuracy of the second level")
    panels[-1].legend(fontsize=7)


def _network(ax: Axes, ours: pd.DataFrame) -> None:
    """Each method against the number of images, in a grammar."""
    for k, (method, mine) in enumerate(ours.groupby("method")):
        values = mine.groupby("train_images")["value"].apply(student_interval)
        x = np.log2(values.index.to_numpy(float)) + 0.06 * k
        mean, low, high = np.array([*values]).T
        bars = [mean - low, np.minimum(high, 1) - mean]
        style = STYLES.get(str(method), "o-")
        label, color = str(method), f"C{k}"
        ax.errorbar(x, mean, bars, fmt=style, ms=4, capsize=2, color=color, label=label)
    images = np.sort(ours["train_images"].to_numpy(float))
    ticks = np.unique(np.log2(images))
    ax.set_xticks(ticks, [f"{2**tick:,.0f}" for tick in ticks], fontsize=7)
    ax.set_xlabel("different training images")


def _powers_of_two(ax: Axes) -> None:
    ax.yaxis.set_major_formatter(lambda value, _: f"{2**value:,.0f}" if value else "1")
    ax.yaxis.set_major_locator(MultipleLocator(2))
