"""The metric is best inside a factor's range: an inverted U, or a U."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt
import pandas as pd

from mae_bench.predictions import Effects, Form, Interval, weakest
from mae_bench.records.rows import seed_table
from mae_bench.records.stats import CONFIDENCE, p_value
from mae_bench.records.strength import ANYTIME, DECISIVE, Rule


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
    """Some interior level is above both extreme ones by more than the margin.

    Which one is not said beforehand, and no seed is asked to place it: of J interior
    levels the claim is as strong as that of the best of them over J, and of each as
    strong as the weaker of its heights above the two ends. It is refuted where of every
    interior level one of two heights is below the margin.

    Args:
        margin: Smallest height that would matter.
        factor: Column of the levels; three at least, sorted.
        minimum: Claim a U, with its lowest point inside, instead.
    """

    signed: ClassVar[bool] = False

    factor: str
    minimum: bool = False

    @property
    def quantity(self) -> str:
        """Of the best level between two ends."""
        side = "below" if self.minimum else "above"
        return (
            f"how far some {self.factor} inside the range lies {side} both of its ends"
        )

    def _table(self, rows: pd.DataFrame) -> pd.DataFrame:
        table = seed_table(rows, self.factor)
        return -table if self.minimum else table

    def effects(self, rows: pd.DataFrame) -> pd.DataFrame:
        """Heights above the first and the last level, of each that lies between.

        Returns:
            Seeds that have every level against ``(level, end)``, pair by pair.
        """
        table = self._table(rows)
        levels = [*table.columns]
        heights = {
            f"{level} above {end}": table[level] - table[end]
            for level in levels[1:-1]
            for end in (levels[0], levels[-1])
        }
        return pd.DataFrame(heights, index=table.index, dtype=float)

    def _levels(self, effects: pd.DataFrame) -> list[Effects]:
        """Of each interior level its two heights, ``[s, 2]``."""
        table = effects.to_numpy(dtype=float)
        return [table[:, at : at + 2] for at in range(0, table.shape[1], 2)]

    def support(
        self, effects: pd.DataFrame, margin: float, rule: Rule = ANYTIME
    ) -> float:
        """That of the best interior level, over their number."""
        levels = self._levels(effects)
        each = [min(rule.above(x, margin) for x in level.T) for level in levels]
        return max(each, default=1.0) / max(1, len(each))

    def refute(
        self, effects: pd.DataFrame, margin: float, rule: Rule = ANYTIME
    ) -> float:
        """That no interior level is above both ends."""
        levels = self._levels(effects)
        each = [max(rule.above(-x, -margin) for x in level.T) / 2 for level in levels]
        return min(each, default=1.0)

    def beyond(
        self, effects: pd.DataFrame, control: pd.DataFrame, rule: Rule = ANYTIME
    ) -> float:
        """That some interior level stands out more than in the control."""
        return self.support((effects - control).dropna(), 0.0, rule)

    def as_claimed(self, effects: pd.DataFrame) -> npt.NDArray[np.bool_]:
        """Whether some interior level of a seed is above both of its ends, ``[s]``."""
        each = [x.min(axis=1) > self.margin for x in self._levels(effects)]
        claimed: npt.NDArray[np.bool_] = np.any(each, axis=0)
        return claimed

    def interval(
        self,
        effects: pd.DataFrame,
        rule: Rule = ANYTIME,
        strength: float = DECISIVE,
    ) -> Interval:
        """Of the interior level that is the best."""
        levels = self._levels(effects)
        claimed = [weakest(x, rule, strength * len(levels)) for x in levels]
        denied = [weakest(x, rule, strength) for x in levels]
        return Interval(
            max((i.estimate for i in claimed), default=math.nan),
            max((i.low for i in claimed), default=math.nan),
            max((i.high for i in denied), default=math.nan),
        )

    def minimum_detectable_effect(
        self, effects: pd.DataFrame, rule: Rule = ANYTIME, power: float = 0.8
    ) -> float:
        """Of the interior level that is seen best, the strength being over J."""
        levels = self._levels(effects)
        return min(
            (
                self._distance(
                    pd.DataFrame(level),
                    rule,
                    power,
                    two_sided=False,
                    strength=DECISIVE * len(levels),
                )
                for level in levels
            ),
            default=math.nan,
        )

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
