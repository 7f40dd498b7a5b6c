"""Two quantities rise together over the points of a grid."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import pandas as pd

from mae_bench.predictions import Form, by_point, side
from mae_bench.records.rows import Where, matching, seed_means
from mae_bench.records.stats import kendall_taus


@dataclass(frozen=True)
class Association(Form):
    """Kendall's tau-b of y with x over the points of the factors, for each seed.

    Known lie: the points are fixed, the interval is over seeds. Where x and y have
    nothing to do with each other but each is the same in every seed, tau is the same
    in every seed as well, and chance: of k = 5 points in random order tau is .6 or
    more in 12 %, of 8 points in 3 %. A margin and many points guard against it.

    Args:
        margin: Smallest tau that would matter, in [0, 1).
        x: Row filters of what orders the points.
        y: Row filters of what is ordered; where it is constant tau is 0.
        along: Columns that span the points.
        sign: -1 claims that y falls as x rises.

    Raises:
        ValueError: x and y are the same rows, or no factor is named.
    """

    x: Where
    y: Where
    along: tuple[str, ...]
    sign: Literal[1, -1] = 1

    def __post_init__(self) -> None:
        if self.x == self.y:
            raise ValueError(f"x and y are both {self.x}")
        if not self.along:
            raise ValueError("name in along the factors that span the points")
        if self.sign not in (1, -1):
            raise ValueError(f"sign {self.sign} is neither 1 nor -1")

    @property
    def quantity(self) -> str:
        """Of which two, over which points."""
        tau = f"Kendall's tau of {side(self.x)} with {side(self.y)}"
        turned = "minus " if self.sign < 0 else ""
        return f"{turned}{tau} over the points of {' and '.join(self.along)}"

    def unit(self, metric: str) -> str:  # noqa: ARG002 - of its own
        """No metric's."""
        return "Kendall's tau, -1 to 1"

    def effects(self, rows: pd.DataFrame) -> pd.DataFrame:
        """Tau of each seed that has x and y at every point, and an x that varies."""
        x, y = (
            by_point(seed_means(matching(rows, what), *self.along), self.along)
            for what in (self.x, self.y)
        )
        points = x.columns.union(y.columns)
        x, y = (table.reindex(columns=points).dropna() for table in (x, y))
        seeds = x.index.intersection(y.index)
        taus = self.sign * kendall_taus(x.loc[seeds], y.loc[seeds])
        return pd.Series(taus, seeds, dtype=float).dropna().to_frame("tau")
