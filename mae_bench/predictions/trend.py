"""The metric rises, or falls, along the levels of a factor."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from mae_bench.predictions import Form
from mae_bench.records.rows import seed_table
from mae_bench.records.schema import Setting


@dataclass(frozen=True)
class Trend(Form):
    """A straight line through the levels changes by more than the margin.

    The effect of a seed is the least-squares slope of the value over the levels'
    ordinal positions, times the number of steps: the change from the first level to
    the last that the line says, in the metric's unit. Ordinal, because grids such as
    0.1, 0.25, 0.5 or 2, 4, 8 are stepped as the question is, not evenly.

    Args:
        margin: Smallest change that would matter.
        factor: Column of the levels.
        direction: What is claimed of the value as the factor rises.
        levels: In their order; all that are measured, sorted, if None.

    Raises:
        ValueError: No such direction, or fewer than two distinct levels.
    """

    factor: str
    direction: Literal["increasing", "decreasing"] = "increasing"
    levels: tuple[Setting, ...] | None = None

    def __post_init__(self) -> None:
        if self.direction not in ("increasing", "decreasing"):
            raise ValueError(
                f"direction {self.direction!r} is neither 'increasing' nor 'decreasing'"
            )
        if self.levels is not None and len(set(self.levels)) < max(2, len(self.levels)):
            raise ValueError(f"levels {self.levels} are not two or more distinct ones")

    def effects(self, rows: pd.DataFrame) -> pd.Series:
        """Change along the line of each seed that has every level."""
        table = seed_table(rows, self.factor, self.levels)
        steps = table.shape[1] - 1
        if steps < 1:
            return pd.Series(dtype=float)
        position = np.arange(steps + 1) - steps / 2
        slope = table.to_numpy() @ (position / (position**2).sum())
        sign = 1 if self.direction == "increasing" else -1
        return pd.Series(sign * steps * slope, index=table.index)
