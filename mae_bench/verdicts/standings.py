"""The leaderboard as plain text, ties as ties, with what a reader must know of it."""

from __future__ import annotations

import math

import pandas as pd

from mae_bench.verdicts.rank import LABEL_PROBE_READ, SHOWN, leading
from mae_bench.verdicts.read_outs import LABEL_PROBE

NOTE = """\
rank: by {leads}; among the methods of a track, which are told the same.
  1-3 is a place that the seeds do not settle; references and few seeds have none.
track: pixels alone; augmentations of them as well; images drawn from the same causes.
Values are means over the seeds that have one, ± half of the 95 % interval."""


def render(leaderboard: pd.DataFrame) -> str:
    """A table a dataset: rank, value ± half the interval, coverage, status."""
    if leaderboard.empty:
        return "no cell of the leaderboard has been measured"
    boards = dict(list(leaderboard.groupby("dataset", sort=False)))
    leads = (f"{leading(board).name} on {name!s}" for name, board in boards.items())
    note = NOTE.format(leads=", ".join(leads))
    return "\n\n".join([*map(_table, boards.values()), note])


def _table(board: pd.DataFrame) -> str:
    lead = leading(board).name
    shown = board[["dataset", "method", "track"]].copy()
    shown["rank"] = [
        place(best, worst)
        for best, worst in zip(
            board[f"{lead}_rank_best"], board[f"{lead}_rank_worst"], strict=True
        )
    ]
    for name in (h.name for h in SHOWN if board[h.name].notna().any()):
        half = (board[f"{name}_high"] - board[f"{name}_low"]) / 2
        shown[name] = [
            _with_error(v, e) for v, e in zip(board[name], half, strict=True)
        ]
        if name == LABEL_PROBE.name:
            shown["read"] = board[LABEL_PROBE_READ].fillna("-")
    shown[["coverage", "status"]] = board[["coverage", "status"]]
    lines = [list(map(str, line)) for line in [shown.columns, *shown.to_numpy()]]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    padded = (
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        for line in lines
    )
    return "\n".join(line.rstrip() for line in padded)


def place(best: float, worst: float) -> str:
    """A rank interval in words.

    >>> place(1.0, 3.0), place(2.0, 2.0), place(math.nan, math.nan)
    ('1-3', '2', '-')
    """
    if math.isnan(best):
        return "-"
    return f"{best:.0f}" if best == worst else f"{best:.0f}-{worst:.0f}"


def _with_error(value: float, half: float) -> str:
    """Three decimals; ``?`` for an interval that one seed cannot give.

    >>> _with_error(0.8123, 0.02), _with_error(0.5, math.nan)
    ('0.812 ± 0.020', '0.500 ± ?')
    """
    if math.isnan(value):
        return "-"
    return f"{value:.3f} ± " + ("?" if math.isnan(half) else f"{half:.3f}")
