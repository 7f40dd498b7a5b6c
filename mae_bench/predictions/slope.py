"""The metric follows a power of a factor: a line of a stated slope in logarithms."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from mae_bench.predictions._two_sided import TwoSided
from mae_bench.records.rows import seed_table
from mae_bench.records.schema import Setting


@dataclass(frozen=True)
class Slope(TwoSided):
    """The least-squares slope less the exponent, within the margin on both sides.

    The metric and the places of the levels are logarithms to one base. Of a curve it
    is the slope on the whole: it does not say that there is a line.

    Args:
        margin: Largest difference of exponents that would not matter.
        exponent: What the slope is claimed to be.
        factor: Column of the levels.
        at: Pairs (level, its place), of two distinct places or more; the levels of the
            claim.

    Raises:
        ValueError: The margin is not positive; fewer than two distinct places.
    """

    exponent: float
    factor: str
    at: tuple[tuple[Setting, float], ...]

    def __post_init__(self) -> None:
        super().__post_init__()
        places = [place for _, place in self.at]
        if len({*places}) < 2:
            raise ValueError(f"places {places} make no line; give two distinct ones")

    @property
    def quantity(self) -> str:
        """Along which factor, and less which exponent."""
        return f"the exponent along {self.factor} less {self.exponent:g}"

    def unit(self, metric: str) -> str:
        """An exponent, whatever the metric."""
        return f"exponent of {metric}"

    def effects(self, rows: pd.DataFrame) -> pd.DataFrame:
        """Slope less exponent, of each seed that has every level."""
        levels, places = zip(*self.at, strict=True)
        table = seed_table(rows, self.factor, levels)
        x = np.array(places) - np.mean(places)
        slope = table.to_numpy() @ (x / (x**2).sum())
        return pd.DataFrame({"slope": slope - self.exponent}, index=table.index)
