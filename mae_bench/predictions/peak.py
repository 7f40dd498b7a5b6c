"""The metric is best inside a factor's range: an inverted U, or a U."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt
import pandas as pd

from mae_bench.predictions import Form, hardest
from mae_bench.records.rows import seed_table
from mae_bench.records.stats import CONFIDENCE, p_value


def peak_contrasts(table: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """How far an interior level stands above both ends, for each seed.

    The interior level is the one with the highest mean over the *earlier* seeds, for
    the first seed the middle one: no seed has a say in where it is scored, nor do two
    seeds place each other's peak, so that noise is not taken for a peak.

    Args:
        table: Values ``[s, levels]``, levels in order, at least three; s >= 2.

    Returns:
        ``[s, 2]``: above the first level, above the last.
    """
    earlier = (np.cumsum(table, axis=0) - table)[:, 1:-1]
    peak = 1 + np.argmax(earlier, axis=1, keepdims=True)
    peak[0] = table.shape[1] // 2
    height: npt.NDArray[np.float64] = np.take_along_axis(table, peak, axis=1)
    return height - table[:, [0, -1]]


def best_levels(table: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
    """The levels that may be the best: no other is above them, as far as seeds tell.

    A level goes if another is above it by a paired one-sided t test at 5 % over the
    number of the others, so the truly best one stays with 95 %. The set is of the
    *mean* curve and shrinks as seeds are added; the range of the seeds' own best
    levels, five rough votes, would grow with them and has no coverage to state.

    Args:
        table: Values ``[s, levels]``; two seeds at least.

    Returns:
        ``[levels]``.
    """
    alpha = (1 - CONFIDENCE) / max(1, table.shape[1] - 1)
    kept = [
        all(p_value(other - ours) >= alpha for other in table.T) for ours in table.T
    ]
    return np.array(kept)


def _name(level: object) -> str:
    return f"{level:g}" if isinstance(level, int | float) else str(level)


@dataclass(frozen=True)
class Peak(Form):
    """An interior level is above both extreme ones by more than the margin.

    Reading: *where* the peak is, is decided for each seed by those before it, see
    ``peak_contrasts``. *Both* ends must be lower by the margin (intersection-union):
    the effect is the contrast with the end that is harder to pass, the one whose
    interval over seeds starts lower, so an interval above the margin for it is one
    for both. Seeds help to place each other, so where all interior levels tie at the
    margin, false support is above the nominal 2.5 %: 4 % at 5 levels and 5 seeds, 6 %
    at 10 seeds if one end hardly varies; below 1 % where nothing depends on the factor.

    Args:
        margin: Smallest height that would matter.
        factor: Column of the levels; three at least, sorted.
        minimum: Claim a U, with its lowest point inside, instead.
    """

    signed: ClassVar[bool] = False

    factor: str
    minimum: bool = False

    def _table(self, rows: pd.DataFrame) -> pd.DataFrame:
        table = seed_table(rows, self.factor)
        return -table if self.minimum else table

    def effects(self, rows: pd.DataFrame) -> pd.Series:
        """Height above the harder end, of each seed that has every level."""
        table = self._table(rows)
        if table.shape[0] < 2 or table.shape[1] < 3:
            return pd.Series(dtype=float)
        return pd.Series(hardest(peak_contrasts(table.to_numpy())), index=table.index)

    def location(self, rows: pd.DataFrame) -> str:
        """The level with the best mean over complete seeds, ends included.

        Returns:
            With the range of ``best_levels``: ``0.5 (0.25-0.75)``; empty for fewer
            than two complete seeds.
        """
        table = self._table(rows)
        if len(table) < 2:
            return ""
        may_be = table.columns[best_levels(table.to_numpy())]
        best, low, high = map(_name, (table.mean().idxmax(), may_be[0], may_be[-1]))
        return f"{best} ({low}-{high})"
