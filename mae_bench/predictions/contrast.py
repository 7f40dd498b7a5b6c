"""One condition is above another, or above a constant."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from mae_bench.predictions import Form, constant_or_means, difference, side
from mae_bench.records.rows import Where


@dataclass(frozen=True)
class Contrast(Form):
    """Mean of the treatment less that of the baseline, paired by seed.

    Args:
        margin: Smallest difference that would matter, after scaling.
        treatment: Row filters, e.g. ``{"method": "u_mae"}``.
        baseline: Row filters, or a constant in the metric's unit.
        scale: Divides the difference, e.g. the feature width.
        sign: -1 claims that the treatment is below.

    Raises:
        ValueError: The two conditions are the same, or the scale is not positive.
    """

    treatment: Where
    baseline: Where | float
    scale: float = 1.0
    sign: Literal[1, -1] = 1

    def __post_init__(self) -> None:
        if self.treatment == self.baseline:
            raise ValueError(f"treatment and baseline are both {self.treatment}")
        if not self.scale > 0:
            raise ValueError(f"scale {self.scale} is not positive; turn with sign=-1")
        if self.sign not in (1, -1):
            raise ValueError(f"sign {self.sign} is neither 1 nor -1")

    @property
    def quantity(self) -> str:
        """Which condition less which."""
        sides = [side(what) for what in (self.treatment, self.baseline)]
        if self.sign == -1:
            sides.reverse()
        if self.sign == 1 and self.baseline == 0:
            return sides[0]
        return " less ".join(sides)

    def unit(self, metric: str) -> str:
        """The metric's, divided by the scale."""
        return metric if self.scale == 1 else f"{metric}, over {self.scale:g}"

    def effects(self, rows: pd.DataFrame) -> pd.DataFrame:
        """Scaled difference of each seed that has every row of both conditions."""
        found = difference(rows, self.treatment, self.baseline)
        return (found.dropna() * (self.sign / self.scale)).to_frame("difference")

    def headroom(self, rows: pd.DataFrame, ceiling: float) -> float:
        """Ceiling less baseline, in the effect's unit, over seeds."""
        room = ceiling - constant_or_means(rows, self.baseline)
        return float(np.mean(room)) * (self.sign / self.scale)
