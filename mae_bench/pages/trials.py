"""The trials of learning rates drawn: a panel a (world, method), the choice filled."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mae_bench.pages.sweeps import widen
from mae_bench.records.rows import over_roundings
from mae_bench.verdicts.tune import choose, response

COLUMNS = 7
WORDS = {"loss": "loss ↓", "rank": "RankMe ↑"}


def draw(rows: pd.DataFrame) -> Figure:
    """What each method was judged by against the learning rate.

    Args:
        rows: Of the experiment ``learning_rates``.
    """
    trials = [mine for _, mine in over_roundings(rows).groupby(["dataset", "method"])]
    chosen = choose(rows)["lr"]  # in the same order
    lines = -(-len(trials) // COLUMNS)
    size = (1.75 * COLUMNS, 1.45 * lines + 0.7)
    figure, axes = plt.subplots(lines, COLUMNS, figsize=size, squeeze=False)
    for mine, lr, ax in zip(trials, chosen, axes.flat, strict=False):
        _panel(ax, mine, lr)
    for ax in axes.flat[len(trials) :]:
        ax.set_axis_off()
    figure.suptitle(
        "What the trials of learning rates were judged by: a method's loss on held-out "
        "images, or RankMe; filled: what was chosen.\nNo label, probe or latent was "
        "looked at. Crosses lost: diverged, collapsed, "
        "or, judged by rank, with a training loss that hardly moved.",
        fontsize=9,
    )
    figure.tight_layout()
    return figure


def _panel(ax: Axes, trials: pd.DataFrame, chosen: float) -> None:
    dataset, method = map(str, trials[["dataset", "method"]].iloc[0])
    rule, values = response(trials)
    spots = np.arange(len(values))
    ax.plot(spots, values, "o-", color="C0", mfc="white", ms=4, lw=1)
    best = list(values.index).index(chosen)
    ax.plot(spots[best], values.iloc[best], "o", color="C0", ms=5)
    lost = spots[values.isna()]
    at = ax.get_xaxis_transform()
    ax.plot(lost, np.full(len(lost), 0.08), "x", color="0.5", ms=4, transform=at)
    ax.margins(0.08, 0.15)
    widen(ax)
    ax.ticklabel_format(axis="y", useOffset=False)
    ax.set_xticks(spots, [f"{lr:g}" for lr in values.index], fontsize=6)
    ax.tick_params(axis="y", labelsize=6, pad=0)
    ax.tick_params(axis="x", pad=0)
    ax.set_title(f"{dataset}\n{method}: {WORDS[rule]}", fontsize=6.5)
