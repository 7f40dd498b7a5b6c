"""Claims that effects are nought: within the margin on both sides."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from mae_bench.predictions import Form, Interval
from mae_bench.records.strength import ANYTIME, DECISIVE, Rule


@dataclass(frozen=True)
class TwoSided(Form):
    """Every effect is nought: its signed mean is within the margin on both sides.

    Supported if each is above -margin and below margin, refuted if one of them lies
    outside on one side. No evidence of a difference is not evidence of none: a wide
    interval is undecided.

    Raises:
        ValueError: The margin is not positive; no interval fits inside nothing.

    References:
        Schuirmann (1987), two one-sided tests.
    """

    def __post_init__(self) -> None:
        if not self.margin > 0:
            raise ValueError(f"margin {self.margin} admits no interval; state one > 0")

    @property
    def words(self) -> str:
        """With the margin on both sides."""
        return f"{self.quantity} is within {self.margin:g} of 0 on both sides"

    def support(
        self, effects: pd.DataFrame, margin: float, rule: Rule = ANYTIME
    ) -> float:
        """The weaker of the two sides, over all parts."""
        sides = [
            min(rule.above(x, -margin), rule.above(-x, -margin))
            for x in self.parts(effects).T
        ]
        return min(sides, default=1.0)

    def refute(
        self, effects: pd.DataFrame, margin: float, rule: Rule = ANYTIME
    ) -> float:
        """That one is outside; a part can be on one side only, so two cost nothing."""
        sides = [
            max(rule.above(x, margin), rule.above(-x, margin))
            for x in self.parts(effects).T
        ]
        return max(sides, default=1.0) / max(1, len(sides))

    def beyond(
        self,
        effects: pd.DataFrame,  # noqa: ARG002 - none
        control: pd.DataFrame,  # noqa: ARG002 - none
        rule: Rule = ANYTIME,  # noqa: ARG002 - none
    ) -> float:
        """1: of what is claimed to be nought none is more so than the control's."""
        return 1.0

    def as_claimed(self, effects: pd.DataFrame) -> npt.NDArray[np.bool_]:
        """Whether every effect of a seed is within the margin, ``[s]``."""
        reach = np.abs(self.parts(effects)).max(axis=1)
        claimed: npt.NDArray[np.bool_] = reach < self.margin
        return claimed

    def interval(
        self,
        effects: pd.DataFrame,
        rule: Rule = ANYTIME,
        strength: float = DECISIVE,
    ) -> Interval:
        """Of the part whose interval reaches farthest from nought, with its sign."""
        found = [rule.interval(x, strength) for x in self.parts(effects).T]

        def reach(interval: tuple[float, float, float]) -> float:
            mean, low, high = interval
            return abs(mean) if math.isnan(low) else max(-low, high)

        return Interval(*max(found, key=reach, default=(math.nan,) * 3))

    def kind(self, effects: pd.DataFrame, rule: Rule = ANYTIME) -> str:
        """On which side it lies."""
        return "above" if self.interval(effects, rule).estimate > 0 else "below"

    def minimum_detectable_effect(
        self, effects: pd.DataFrame, rule: Rule = ANYTIME, power: float = 0.8
    ) -> float:
        """Margin that would be kept 8 times in 10 if the effects were exactly nought.

        A larger one than the form's own says that these seeds were too few.
        """
        return self._distance(effects, rule, power, two_sided=True)
