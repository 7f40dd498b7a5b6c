"""A value is nowhere below its limit."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

import pandas as pd

from mae_bench.predictions import Effects, Form, Interval, by_point, difference, side
from mae_bench.records.rows import Where, matching
from mae_bench.records.strength import ANYTIME, DECISIVE, Rule


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
    inferred: ClassVar[bool] = False
    # Of bounds that half of the seeds violate, one in 32 passes.
    enough: ClassVar[int] = 5

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

    @property
    def quantity(self) -> str:
        """Of what, on which side of its limit."""
        way = "above" if self.sign > 0 else "below"
        return f"the least slack of {side(self.value)} {way} {side(self.limit)}"

    @property
    def words(self) -> str:
        """With the points that are checked, and the tolerance."""
        way = "at least" if self.sign > 0 else "at most"
        where = f" at every point of {' and '.join(self.along)}" if self.along else ""
        return (
            f"{side(self.value)} is {way} {side(self.limit)}{where}, "
            f"to a tolerance of {self.margin:g}"
        )

    def effects(self, rows: pd.DataFrame) -> pd.DataFrame:
        """Least slack, of each seed that has every point or violates one."""
        for what in (self.value, self.limit):
            self._check_one_a_point(rows, what)
        slack = self.sign * difference(rows, self.value, self.limit, *self.along)
        table = by_point(slack, self.along)
        least = table.min(axis=1)
        kept = least[table.notna().all(axis=1) | (least < -self.margin)]
        return kept.to_frame("slack")

    def _check_one_a_point(self, rows: pd.DataFrame, side: Where | float) -> None:
        if isinstance(side, Mapping):
            at = ["seed", *self.along]
            points = matching(rows, side).groupby(at, dropna=False)["value"]
            if (points.count() > 1).any():
                raise ValueError(
                    f"several values at a point of {at}: name in along all by which "
                    "they differ"
                )

    def support(
        self,
        effects: pd.DataFrame,
        margin: float,
        rule: Rule = ANYTIME,  # noqa: ARG002 - nothing is inferred
    ) -> float:
        """Infinite if no seed of enough violates the limit, 1 otherwise."""
        slack = self.parts(effects)
        kept = len(slack) >= self.enough and (slack >= -margin).all()
        return math.inf if kept else 1.0

    def refute(
        self,
        effects: pd.DataFrame,
        margin: float,
        rule: Rule = ANYTIME,  # noqa: ARG002 - nothing is inferred
    ) -> float:
        """Infinite by any violation, 1 otherwise."""
        return math.inf if (self.parts(effects) < -margin).any() else 1.0

    def beyond(
        self,
        effects: pd.DataFrame,  # noqa: ARG002 - none
        control: pd.DataFrame,  # noqa: ARG002 - none
        rule: Rule = ANYTIME,  # noqa: ARG002 - none
    ) -> float:
        """1: more slack than the control's is no claim."""
        return 1.0

    def interval(
        self,
        effects: pd.DataFrame,
        rule: Rule = ANYTIME,  # noqa: ARG002 - nothing is inferred
        strength: float = DECISIVE,  # noqa: ARG002 - nothing is inferred
    ) -> Interval:
        """The least slack of all seeds, and the range of theirs."""
        slack = self.parts(effects)
        if not slack.size:
            return Interval()
        return Interval(float(slack.min()), float(slack.min()), float(slack.max()))

    def kind(
        self,
        effects: pd.DataFrame,
        rule: Rule = ANYTIME,  # noqa: ARG002 - none
    ) -> str:
        """In how many seeds."""
        violated: Effects = self.parts(effects).min(axis=1) < -self.margin
        return f"violated in {violated.sum()} of {len(violated)} seeds"

    def minimum_detectable_effect(
        self,
        effects: pd.DataFrame,
        rule: Rule = ANYTIME,  # noqa: ARG002 - nothing is inferred
        power: float = 0.8,  # noqa: ARG002 - nothing is inferred
    ) -> float:
        """0: whatever goes beyond the margin is seen; NaN without seeds."""
        return 0.0 if len(effects) else math.nan
