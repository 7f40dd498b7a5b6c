"""Figures of the oracles: exact curves, beside what was drawn at random or trained.

Those of ``located_latents`` and ``mask_graph`` need no training, only the oracle; that
of ``two_sample_floor`` takes the rows of whatever was trained on an invertible tree.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import product

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import torch
from jaxtyping import Float64, Int64
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

from mae_bench.models.masking import random_masking
from mae_bench.oracles.located_latents import level_table, quadtree_c
from mae_bench.oracles.mask_graph import all_masks, labelling_error, mask_graph
from mae_bench.oracles.mask_graph import spectrum as graph_spectrum
from mae_bench.records.rows import COLUMNS
from mae_bench.records.stats import student_interval

GRID = 8  # leaves a side
SEEDS, MASKS = 5, 400
WIDTHS = (1, 2, 4, 8)  # of features


def located_latents() -> Figure:
    """Size and mean level of c(m) against the mask ratio, a line a mask unit.

    Curves by the level table at every number of masked blocks; points by drawing masks,
    with 95 % over five seeds.
    """
    figure, (sizes, levels) = plt.subplots(1, 2, figsize=(7.2, 3.0))
    for k, unit in enumerate((1, 2, 4)):
        blocks = (GRID // unit) ** 2
        ratios = [count / blocks for count in range(1, blocks)]
        exact = level_table(GRID, (unit,), ratios)
        shown = np.unique(np.linspace(1, blocks - 1, 7).round().astype(int)) / blocks
        found = [drawn_c(unit, float(ratio)) for ratio in shown]
        style = {"c": f"C{k}", "ls": "--", "lw": 1}
        sizes.plot(ratios, [row.expected_size for row in exact], **style)
        levels.plot(ratios, [row.mean_level for row in exact], **style)
        for ax, column in ((sizes, 0), (levels, 1)):
            _points(ax, shown, [f[:, column] for f in found], f"unit {unit}", f"C{k}")
    sizes.set_ylabel("nodes in c(m)")
    levels.set_ylabel("mean level in c(m)")
    return _finish(
        figure,
        f"c(m) in a quadtree of {GRID} x {GRID} leaves (level 1: their parents). "
        "Dashed: exact. Points: masks drawn at random, with 95 %.",
        x="mask_ratio",
    )


def drawn_c(unit: int, ratio: float) -> Float64[np.ndarray, "s 2"]:
    """E|c| and the mean level in c, by a few hundred masks of each seed."""
    found = []
    for seed in range(SEEDS):
        noise = torch.Generator().manual_seed(seed)
        mask = random_masking(MASKS, GRID, ratio, noise, unit=unit).mask
        c = quadtree_c(mask.view(-1, GRID, GRID).int())
        size = {level: nodes.sum().item() / MASKS for level, nodes in c.items()}
        total = sum(size.values())
        found.append((total, sum(k * n for k, n in size.items()) / total))
    return np.array(found)


def mask_graph_figure() -> Figure:
    """Tail sums T_k and labelling error α of a small world against the mask ratio."""
    tokens, probability, labels = two_part_world(0.1, 0.1)
    length = tokens.shape[1]
    counts = range(1, length)
    tails, errors = [], []
    for count in counts:
        graph = mask_graph(tokens, probability, all_masks(length, count))
        squares = graph_spectrum(graph.adjacency).eigenvalues.square()
        tails.append([squares[k:].sum().item() for k in WIDTHS])
        errors.append(labelling_error(graph, labels))
    figure, (left, right) = plt.subplots(1, 2, figsize=(7.2, 3.0))
    ratios = [count / length for count in counts]
    for k, tail in zip(WIDTHS, zip(*tails, strict=True), strict=True):
        left.plot(ratios, tail, "o--", ms=4, lw=1, label=f"k = {k}")
    right.plot(ratios, errors, "o--", ms=4, lw=1, c="0.3")
    left.set_ylabel("tail sum T_k of A_aug")
    right.set_ylabel("labelling error")
    return _finish(
        figure,
        "The mask graph of a label, two parts that copy it and three tokens that copy "
        "each\n(each copy wrong in one of ten), over all masks. All exact.",
        x="mask_ratio",
    )


def two_part_world(
    part_flip: float, token_flip: float
) -> tuple[Int64[Tensor, "n 6"], Float64[Tensor, " n"], Int64[Tensor, " n"]]:
    """Tokens, probability and label of every image with every label.

    A label in {0, 1}, each as likely; two parts that copy it and three tokens that copy
    each part, all binary.

    Args:
        part_flip: Probability that a part is not the label.
        token_flip: Probability that a token is not its part.
    """
    tokens = torch.tensor(list(product((0, 1), repeat=6)))
    ones = tokens.view(-1, 2, 3).sum(2).double()
    by_part = [
        token_flip ** (3 - n) * (1 - token_flip) ** n for n in (3 - ones, ones)
    ]  # P(three tokens | their part is 0, 1)
    keep = 1 - part_flip
    odds = [
        (keep * by_part[y] + part_flip * by_part[1 - y]).prod(1) / 2 for y in (0, 1)
    ]
    labels = torch.arange(2).repeat_interleave(len(tokens))
    return tokens.repeat(2, 1), torch.cat(odds), labels


def two_sample_floor(measured: Mapping[str, pd.DataFrame]) -> Figure | None:
    """Trained error of masked pixels against the exact floor, a point a setting.

    Args:
        measured: Experiment id -> its rows; those are looked at that have a floor.

    Returns:
        None if nothing was trained on an invertible tree.
    """
    found = {name: _with_floor(rows) for name, rows in measured.items()}
    found = {name: pairs for name, pairs in found.items() if len(pairs)}
    if not found:
        return None
    figure, ax = plt.subplots(figsize=(4.4, 4.0))
    for k, (name, pairs) in enumerate(sorted(found.items())):
        settings = [c for c in pairs if c not in ("seed", "floor", "masked")]
        groups = [some for _, some in pairs.groupby(settings)]
        floor = [some["floor"].mean() for some in groups]
        _points(ax, floor, [some["masked"] for some in groups], name, f"C{k}")
    top = max(ax.get_xlim()[1], ax.get_ylim()[1])
    ax.plot([0, top], [0, top], ls="--", lw=1, c="0.3", label="exact floor")
    ax.set_ylabel("squared error of a masked pixel, trained")
    title = "invertible_tree: a point a mask, with 95 % over seeds"
    return _finish(figure, title, x="exact floor by redrawing")


def _with_floor(rows: pd.DataFrame) -> pd.DataFrame:
    """Columns of settings, ``seed``, ``masked`` and ``floor``, a row a cell."""
    ours = rows[
        (rows["status"] == "ok")
        & (rows["dataset"] == "invertible_tree")
        & (rows["metric"] == "reconstruction_error")
        & rows["target"].isin(["masked", "floor"])
    ]
    if "stop" in ours:
        ours = ours[ours["stop"] != 0]  # an untrained network is nowhere near
    settings = ["method", *(c for c in rows if c not in COLUMNS)]
    ours = ours.fillna(dict.fromkeys(settings, ""))
    pairs = ours.pivot_table("value", [*settings, "seed"], "target").reset_index()
    return pairs if "floor" in pairs else pairs.head(0)


def _points(
    ax: Axes,
    x: Iterable[float],
    values: Sequence[pd.Series[float] | np.ndarray],
    label: str,
    colour: str,
) -> None:
    """Means over seeds, with their 95 % intervals."""
    numbers = (student_interval(v) for v in values)
    mean, low, high = (np.array(m) for m in zip(*numbers, strict=True))
    bars = [mean - low, high - mean]
    ax.errorbar(list(x), mean, bars, fmt="o", ms=4, capsize=2, c=colour, label=label)


def _finish(figure: Figure, title: str, *, x: str) -> Figure:
    for ax in figure.axes:
        ax.set_xlabel(x)
        if ax.get_legend_handles_labels()[1]:
            ax.legend(fontsize=7, frameon=False)
    figure.suptitle(title, fontsize=8)
    figure.tight_layout()
    return figure
