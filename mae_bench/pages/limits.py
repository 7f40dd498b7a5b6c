"""CSV -> a figure an oracle: the exact curve, and on it what was trained.

Both are rows of the same CSV. The exact curve is the mean over the seeds' worlds.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mae_bench.pages.sweeps import widen, with_bars
from mae_bench.records.rows import Where, matching

X = "mask_ratio"


@dataclass(frozen=True)
class Panel:
    """One pair of axes.

    Args:
        title: Above it.
        measured: Column -> value of the rows that were trained.
        exact: Of the rows that an oracle gave; None where the exact answer is 0.
        most: The greatest that is possible.
    """

    title: str
    measured: Where
    exact: Where | None
    most: float = math.inf


@dataclass(frozen=True)
class Limit:
    """What an oracle's figure shows.

    Args:
        title: Above the figure.
        experiment: Whose rows are drawn.
        lines: Factor with a line for each of its values.
        panels: Rows of panels; a short row is filled with nothing.
    """

    title: str
    experiment: str
    lines: str
    panels: Sequence[Sequence[Panel]]


def _levels(dataset: str, probe: str) -> list[list[Panel]]:
    """A row a view, a column a level."""
    return [
        [
            Panel(
                f"level_{level}, {view} images",
                {"dataset": dataset, "metric": probe, "view": view}
                | {"target": f"level_{level}"},
                {"dataset": dataset, "metric": "ceiling"}
                | {"target": f"level_{level}/{view}"},
                1.0,
            )
            for level in range(3)
        ]
        for view in ("masked", "unmasked")
    ]


def _error(dataset: str, title: str, measured: str, exact: str) -> Panel:
    at = {"dataset": dataset, "metric": "reconstruction_error"}
    most = 1.0 if measured.startswith("explained") else math.inf
    return Panel(title, at | {"target": measured}, at | {"target": exact}, most)


def _linear(target: str, title: str) -> list[Panel]:
    """A column a world."""
    worlds: dict[str, dict[str, str]] = {
        "exponential field": {"dataset": "gaussian_field", "spectrum": "exponential"},
        "whitened field": {"dataset": "gaussian_field", "spectrum": "whitened"},
        "gaussian_tree": {"dataset": "gaussian_tree"},
    }
    found = []
    for name, world in worlds.items():
        at = world | {"metric": "closed_form_gap"}
        exact = at | {"target": f"{target}_closed_form"}
        found.append(
            Panel(
                f"{title}, {name}",
                at | {"target": target},
                None if target == "loss" else exact,
                1.0 if target.startswith("overlap") else math.inf,
            )
        )
    return found


LIMITS: Mapping[str, Limit] = MappingProxyType(
    {
        "gaussian_conditioning": Limit(
            "R² of the levels of gaussian_tree: recoverable, and by linear probe",
            "recoverability",
            "mask_unit",
            [
                *_levels("gaussian_tree", "linear_r2"),
                [_error("gaussian_tree", "error of a masked pixel", "masked", "bayes")],
            ],
        ),
        "belief_propagation": Limit(
            "Accuracy on the levels of random_hierarchy: Bayes, and by linear probe",
            "recoverability",
            "mask_unit",
            [
                *_levels("random_hierarchy", "level_accuracy"),
                [
                    _error(
                        "random_hierarchy",
                        f"explained variance{of}",
                        "explained_masked",
                        at,
                    )
                    for of, at in (
                        ("", "explained_bayes"),
                        ("; Bayes without the root", "explained_bayes_cut_1"),
                    )
                ],
            ],
        ),
        "linear_mae": Limit(
            "Linear MAE: trained, and in closed form",
            "linear_theory",
            "rank",
            [
                _linear("radius", "radius in pixels"),
                _linear("overlap_pca", "overlap with PCA"),
                _linear("loss", "loss over the least, minus 1"),
            ],
        ),
    }
)


def draw(limit: Limit, rows: pd.DataFrame) -> Figure:
    """The figure: points with intervals are trained, dashed curves are exact.

    Args:
        limit: What it shows.
        rows: Measurements of its experiment.
    """
    shape = (len(limit.panels), max(map(len, limit.panels)))
    size = (3.0 * shape[1] + 0.4, 2.5 * shape[0] + 0.6)
    figure, axes = plt.subplots(*shape, figsize=size, squeeze=False)
    for line, panels in zip(axes, limit.panels, strict=True):
        for ax, panel in zip(line, panels, strict=False):
            _draw(ax, panel, rows, limit.lines)
        for ax in line[len(panels) :]:
            ax.set_axis_off()
    pairs = [ax.get_legend_handles_labels() for ax in axes.flat]
    named = {k: v for vs, ks in pairs for v, k in zip(vs, ks, strict=True)}
    figure.legend(named.values(), named, loc="lower center", ncols=5, frameon=False)
    figure.suptitle(limit.title, fontsize=10)
    figure.tight_layout(rect=(0, 0.04, 1, 1))
    return figure


def _draw(ax: Axes, panel: Panel, rows: pd.DataFrame, lines: str) -> None:
    ax.set_title(panel.title, fontsize=8)
    ax.set_xlabel(f"{X} (share of the patches)", fontsize=8)
    measured = _found(rows, panel.measured)
    exact = _found(rows, panel.exact) if panel.exact else measured.assign(value=0.0)
    swept = measured[measured[X].notna()]
    for k, level in enumerate(sorted(swept[lines].unique())):
        mine = swept[swept[lines] == level].groupby(X)["value"]
        mean, bars = with_bars((values for _, values in mine), upper=panel.most)
        name, colour = f"{lines} {level:g}", f"C{k}"
        ax.errorbar(
            np.array(list(mine.groups), float) + 0.012 * k,
            mean,
            bars,
            fmt="os"[k % 2],
            ms=4,
            capsize=2,
            c=colour,
            label=name,
        )
        curve = exact[exact[lines] == level].groupby(X)["value"].mean()
        ax.plot(curve, ls="--", lw=1, c=colour, label=f"{name}, exact")
    floor = measured[measured[X].isna()]
    # An encoder that was never masked has no masks of its own to be shown by.
    if len(floor) and panel.measured.get("view") == "unmasked":
        ax.axhline(floor["value"].mean(), color="0.5", ls=":", lw=1, label="untrained")
    widen(ax)
    bottom, top = ax.get_ylim()
    ax.set_ylim(bottom, min(top, panel.most + 0.02 * (top - bottom)))
    ax.ticklabel_format(axis="y", useOffset=False)
    if not len(measured):
        ax.text(0.5, 0.5, "not measured", transform=ax.transAxes, ha="center")


def _found(rows: pd.DataFrame, where: Where) -> pd.DataFrame:
    found = matching(rows[rows["status"] == "ok"], where)
    found = found[found["token"].isin(["mean", ""])]
    factors = found[[X]].apply(pd.to_numeric, errors="coerce")
    return found.assign(**factors)
