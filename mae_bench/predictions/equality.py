"""A measured value is the exact one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from mae_bench.predictions import (
    by_point,
    constant_or_means,
    difference,
    side,
)
from mae_bench.predictions._two_sided import TwoSided
from mae_bench.records.rows import Where


@dataclass(frozen=True)
class Equality(TwoSided):
    """Value less exact value, within the margin on both sides, paired by seed.

    Differences of a seed's rows are averaged, so opposite errors may cancel, except
    along the factors that are named: there *every* point must be equal, each is
    a part of the claim.

    Args:
        margin: Largest difference that would not matter.
        value: Row filters of what was measured.
        exact: Row filters of the exact value, or a constant.
        relative: The margin is a share of the exact value, and so is the effect.
        along: Columns at each of whose points the equality must hold.

    Raises:
        ValueError: Value and exact value are the same rows; the margin is not
            positive; a share of 0 is asked for.
    """

    value: Where
    exact: Where | float
    relative: bool = False
    along: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.value == self.exact:
            raise ValueError(f"value and exact value are both {self.value}")
        if self.relative and self.exact == 0:
            raise ValueError("no difference is a share of 0; give a constant margin")

    @property
    def quantity(self) -> str:
        """What less what, and at which points."""
        value, exact = side(self.value), side(self.exact)
        gap = value if self.exact == 0 else f"{value} less {exact}"
        asides = [f"as a share of {exact}"] if self.relative else []
        asides += (
            [f"at every point of {' and '.join(self.along)}"] if self.along else []
        )
        return f"{gap}, {', '.join(asides)}," if asides else gap

    def unit(self, metric: str) -> str:
        """The metric's, or a share of the exact value."""
        return f"share of {side(self.exact)}" if self.relative else metric

    def effects(self, rows: pd.DataFrame) -> pd.DataFrame:
        """Signed difference, of each seed that has every point."""
        found = difference(rows, self.value, self.exact, *self.along)
        if self.relative:
            exact = constant_or_means(rows, self.exact, *self.along)
            # Nothing is a share of a measured 0: such a seed says nothing.
            found = (found / np.abs(exact)).where(np.isfinite)
        return by_point(found, self.along).dropna()
