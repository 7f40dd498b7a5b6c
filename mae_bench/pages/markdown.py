"""Tables of the evidence in Markdown, of the CSVs alone."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import pandas as pd

SIGNS = {"supported": "+", "refuted": "-"}


def grid(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    r"""A table.

    >>> print(grid(["a", "b"], [[1, "x|y"]]))
    | a | b |
    |---|---|
    | 1 | x\|y |
    """
    lines = [header, *([str(cell) for cell in row] for row in rows)]
    told = [
        f"| {' | '.join(c.replace('|', chr(92) + '|') for c in x)} |" for x in lines
    ]
    return "\n".join([told[0], "|---" * len(header) + "|", *told[1:]])


def claims(verdicts: pd.DataFrame, theory: str) -> str:
    """A line a prediction of a theory that has rows: what it says, and what was found.

    Args:
        verdicts: ``verdicts.csv``.
        theory: Its id.
    """
    mine = verdicts[verdicts["theory"] == theory]
    told = mine[mine["verdict"] != "not_measured"]
    lines = []
    for _, row in told.iterrows():
        number = row["prediction"].partition("/")[2]
        kind = f", {row['kind']}" if isinstance(row["kind"], str) else ""
        word = row["verdict"].replace("_", " ")
        sign = SIGNS.get(row["verdict"], "")
        verdict = f"**{sign} {word}**{kind}" if sign else word
        ends = [_number(row[c]) for c in ("estimate", "ci_low", "ci_high")]
        effect = f"{ends[0]} ({ends[1]} to {ends[2]})" if ends[0] else "no rows yet"
        lines.append(
            [
                number,
                row["standing"],
                row["claim"],
                verdict,
                effect,
                f"{row['margin']:g}",
            ]
        )
    rest = len(mine) - len(told)
    text = grid(["", "standing", "claim", "verdict", "effect", "margin"], lines)
    text = text if lines else ""
    more = f"Not measured, with the reason in `verdicts.csv`: {rest}." * bool(rest)
    return "\n\n".join(filter(None, (text, more)))


def _number(value: float) -> str:
    """Three digits, empty of none.

    >>> _number(0.7354), _number(float("nan")), _number(-1.0)
    ('0.735', '', '-1')
    """
    return "" if math.isnan(value) else f"{value:.3g}"


def operating(table: pd.DataFrame) -> str:
    """A line a quantity, noise and stopping: the form farthest from its goal.

    Args:
        table: ``operating.csv``.
    """
    lines = []
    for at, mine in table.groupby(["quantity", "noise", "stopping"]):
        goal = mine["goal"].iloc[0]
        values = mine["value"]
        worst = mine.iloc[int(values.argmin() if ">=" in goal else values.argmax())]
        alike = len(mine) > 1 and values.min() == values.max()
        value = f"{worst['value']:.3g}"
        if math.isfinite(worst["error"]):
            value += f" ± {worst['error']:.2g}"
        met = f"{(mine['met'] == 'yes').sum()} of {len(mine)}"
        form = "all alike" if alike else worst["form"]
        lines.append([*at, goal, value, form, met])
    header = ["what", "noise", "stopping", "goal", "value", "of the worst form", "met"]
    return grid(header, lines)


def costs(table: pd.DataFrame) -> str:
    """A line an experiment: what is foretold, and what was measured.

    Args:
        table: ``costs.csv``.
    """
    header = ["experiment", "cells", "core-minutes", "cost unknown", "trained"]
    lines = [
        [
            row["experiment"],
            row["cells"],
            f"{row['core_minutes']:.1f}",
            row["cost_unknown"],
            row["trained"],
            f"{row['trained_minutes']:.1f}",
        ]
        for _, row in table.iterrows()
    ]
    return grid([*header, "core-minutes"], lines)
