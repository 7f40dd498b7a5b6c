"""Effects as figures: every claim's interval, in units of its margin."""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterator, Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from mae_bench.pages.scorecard import COLOURS, DOT, NEW, TWO_SIDED, named, planted

LONGEST = 40  # claims of a page
ENDS = (-1e3, 1e5)  # in margins; what is beyond stands at the end
INSIDE = "0.85"
LINEAR = 2  # in margins; beyond, the axis is logarithmic
WHOSE = f"hollow: seeds that margins had seen; {DOT}: new ones"
NARROW = 20.0  # an axis that ends before it has steps within a power of ten


def pages(table: pd.DataFrame) -> Iterator[tuple[str, Figure]]:
    """Every measured claim without planted nulls, in pages that can be read.

    Args:
        table: ``verdicts.csv``.

    Yields:
        Name and figure: ``effects``, ``effects_2`` ...; a theory is on one page if it
        fits there.
    """
    parts: list[list[pd.DataFrame]] = [[]]
    for _, rows in _measured(table).groupby("theory"):
        if parts[-1] and sum(map(len, parts[-1])) + len(rows) > LONGEST:
            parts.append([])
        parts[-1].append(rows)
    for k, part in enumerate(filter(None, parts), 1):
        yield f"effects_{k}" if k > 1 else "effects", draw(pd.concat(part))


def _measured(table: pd.DataFrame) -> pd.DataFrame:
    rows = table[table["estimate"].notna() & ~planted(table)]
    return rows.sort_values(["theory", "prediction"], ignore_index=True)


def draw(rows: pd.DataFrame, title: str = "Effects of the claims") -> Figure:
    """A line a claim: its interval, coloured by its verdict.

    Effects are divided by their margin; a filled dot is of new seeds, a hollow one of
    the pilot's. Right of 1 is what is claimed; of an equality, an equivalence or a
    bound it lies inside the grey band.

    Args:
        rows: Of ``verdicts.csv``, measured; drawn in their order.
        title: Above the figure.
    """
    lines = rows.to_dict("records")
    size = (8.4, 0.21 * len(lines) + 2.2)
    figure, ax = plt.subplots(figsize=size)
    lines_on(ax, lines)
    ax.set_title(f"{title}; {WHOSE}", fontsize=8)
    explain(figure, [ax], lines)
    figure.tight_layout(rect=(0, 0.55 / size[1], 1, 1))
    return figure


def lines_on(ax: Axes, lines: Sequence[Mapping[Hashable, Any]]) -> None:
    """The claims' lines, from above, each with its name; of what has no number that."""
    for y, row in enumerate(lines):
        if not math.isnan(row["estimate"]):
            _line(ax, y, row)
    ax.axvline(1, color="0.3", lw=1)
    ax.set_xscale("symlog", linthresh=LINEAR)
    ax.set_yticks(range(len(lines)), [_label(row) for row in lines], fontsize=7)
    ax.set_ylim(len(lines) - 0.5, -0.5)
    ax.grid(visible=False, axis="y")


def explain(
    figure: Figure, axes: Sequence[Axes], lines: Sequence[Mapping[Hashable, Any]]
) -> None:
    """One scale of all axes, its meaning below the last, and the verdicts' key."""
    each = [_ends(ax) for ax in axes]
    low, high = min(low for low, _ in each), max(high for _, high in each)
    for ax in axes:
        ax.set_xticks(_ticks(low, high), minor=False)
        ax.minorticks_off()
        ax.xaxis.set_major_formatter("{x:g}")
        ax.set_xlim(low, high)
    axes[-1].set_xlabel(
        "effect / margin; linear to 2, then logarithmic\n"
        "(claimed: right of the line at 1, or inside a grey band)"
    )
    figure.legend(
        handles=_key([str(row["verdict"]) for row in lines]),
        loc="lower center",
        ncols=4,
        frameon=False,
        fontsize=7,
    )


def _label(row: Mapping[Hashable, Any]) -> str:
    return f"{row['prediction']} {named(row['verdict'])[0]}"


def _ends(ax: Axes) -> tuple[float, float]:
    low, high = ax.get_xlim()
    return max(min(low, -1.5), ENDS[0]), min(max(high, 2.0), ENDS[1])


def _ticks(low: float, high: float) -> list[float]:
    """Steps of an axis: to one margin, then powers of ten.

    >>> _ticks(-3.0, 9.0)
    [-2.0, -1.0, 0.0, 1.0, 2.0, 5.0]
    >>> _ticks(-30.0, 200.0)
    [-10.0, -1.0, 0.0, 1.0, 10.0, 100.0]
    """
    narrow = max(-low, high) < NARROW
    above = [1.0, *([2.0, 5.0] if narrow else []), *(10.0**k for k in range(1, 6))]
    found = [*(-x for x in reversed(above)), 0.0, *above]
    return [x for x in found if low <= x <= high]


def _line(ax: Axes, y: int, row: Mapping[Hashable, Any]) -> None:
    colour = COLOURS[row["verdict"]]
    unit = abs(row["margin"]) or 1.0
    mid, low, high = (row[c] / unit for c in ("estimate", "ci_low", "ci_high"))
    if row["form"] in TWO_SIDED:
        ax.fill_betweenx([y - 0.4, y + 0.4], -1, 1, color=INSIDE, lw=0)
    elif row["form"] == "bound":
        ax.fill_betweenx([y - 0.4, y + 0.4], -1, ENDS[1], color=INSIDE, lw=0)
    # A pale colour on white or grey is seen by its dark rim.
    ax.plot([low, high], [y, y], color="0.25", lw=3.2, solid_capstyle="butt")
    ax.plot([low, high], [y, y], color=colour, lw=2, solid_capstyle="butt")
    filled = colour if row["phase"] == NEW else "white"
    ax.plot(mid, y, "o", color=colour, mfc=filled, mec="0.25", ms=5)
    ax.plot(mid, y, "o", color=colour, mfc=filled, ms=4)


def _key(verdicts: Sequence[str]) -> list[Any]:
    there = [verdict for verdict in COLOURS if verdict in verdicts]
    lines: list[Any] = [
        Line2D([], [], color=COLOURS[verdict], lw=3, label=named(verdict))
        for verdict in there
    ]
    return [*lines, Patch(color=INSIDE, label="claimed, if two-sided or a bound")]
