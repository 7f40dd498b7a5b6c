"""A value is nowhere below its limit."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from mae_bench.predictions import ENOUGH_SEEDS, Decision, Form, by_point, difference
from mae_bench.records.rows import Where, matching


@dataclass(frozen=True)
class Bound(Form):
    """Value >= limit at every point of every seed, as a theorem says.

    The effect of a seed is its least slack, value less limit. This is a check and no
    statistics: one violation refutes, and there is no p-value.

    Args:
        margin: How far below the limit float error may go; the claim's tolerance.
        value: Row filters of what is bounded.
        limit: Row filters of the bound, or a constant.
        along: Columns whose points are checked each on its own; all by which the
            rows of a seed differ, for a mean could hide a violation.
        sign: -1 claims value <= limit.

    Raises:
        ValueError: Value and limit are the same rows; a negative margin; several
            rows at one point.
    """

    signed: ClassVar[bool] = False

    value: Where
    limit: Where | float
    along: tuple[str, ...] = ()
    sign: Literal[1, -1] = 1

    def __post_init__(self) -> None:
        if self.value == self.limit:
            raise ValueError(f"value and limit are both {self.value}")
        if self.margin < 0:
            raise ValueError(f"margin {self.margin} of float error is negative")
        if self.sign not in (1, -1):
            raise ValueError(f"sign {self.sign} is neither 1 nor -1")

    def effects(self, rows: pd.DataFrame) -> pd.Series:
        """Least slack, of each seed that has every point or violates one."""
        for side in (self.value, self.limit):
            self._check_one_a_point(rows, side)
        slack = self.sign * difference(rows, self.value, self.limit, *self.along)
        table = by_point(slack, self.along)
        least = table.min(axis=1)
        return least[table.notna().all(axis=1) | (least < -self.margin)]

    def _check_one_a_point(self, rows: pd.DataFrame, side: Where | float) -> None:
        if isinstance(side, Mapping):
            at = ["seed", *self.along]
            points = matching(rows, side).groupby(at, dropna=False)["value"]
            if (points.count() > 1).any():
                raise ValueError(
                    f"several values at a point of {at}: name in along all by which "
                    "they differ"
                )

    def interval(self, effects: npt.ArrayLike) -> tuple[float, float, float]:
        """The least slack of all seeds, and the range of theirs."""
        slack = np.asarray(effects, dtype=np.float64)
        if not slack.size:
            return math.nan, math.nan, math.nan
        return float(slack.min()), float(slack.min()), float(slack.max())

    def decide(self, effects: npt.ArrayLike) -> Decision:
        """Refuted by any violation; else supported, from three seeds on."""
        slack = np.asarray(effects, dtype=np.float64)
        if (slack < -self.margin).any():
            return "refuted"
        return "supported" if slack.size >= ENOUGH_SEEDS else "undecided"

    def p_value(self, effects: npt.ArrayLike) -> float:  # noqa: ARG002 - none
        """NaN: nothing is inferred from a sample."""
        return math.nan

    def minimum_detectable_effect(self, effects: npt.ArrayLike) -> float:
        """0: whatever goes beyond the margin is seen; NaN without seeds."""
        return 0.0 if np.size(effects) else math.nan
