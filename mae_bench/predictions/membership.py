"""What a theory puts inside a set has higher values than what it leaves outside."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd
from scipy.stats import rankdata

from mae_bench.predictions import Form

_SIDES = ("inside", "outside")


def area_under_curve(inside: pd.Series[float], outside: pd.Series[float]) -> float:
    """Probability that a value inside is above one outside; a tie counts half.

    ``AUC = (R - n(n + 1)/2) / (n m)``, R the sum of the ranks of the n values inside
    among all n + m.

    Returns:
        In [0, 1]; best 1, chance 1/2; NaN if a side is empty.

    >>> area_under_curve(pd.Series([3.0, 1.0]), pd.Series([0.0, 2.0]))
    0.75
    """
    n, m = len(inside), len(outside)
    if not n * m:
        return float("nan")
    ranks = rankdata(np.concatenate([inside, outside]))
    return float((ranks[:n].sum() - n * (n + 1) / 2) / (n * m))


@dataclass(frozen=True)
class Membership(Form):
    """Rows whose target begins with ``inside/`` are above those with ``outside/``.

    The effect is the area under the ROC curve of a seed's values. It is bounded by 1:
    from a margin of .9 no effect is farther than .1, and areas near 1 are skewed, so
    that an area of exactly .9 is supported in 6 % rather than 2.5 % (10 values a side).

    Args:
        margin: Smallest area that would matter, in [.5, 1).
    """

    signed: ClassVar[bool] = False
    nothing: ClassVar[float] = 0.5

    def __post_init__(self) -> None:
        if not 0.5 <= self.margin < 1:
            raise ValueError(f"margin {self.margin} is no area in [.5, 1)")

    @property
    def quantity(self) -> str:
        """Of which two sides."""
        return "the area under the ROC curve of targets inside/ against outside/"

    def unit(self, metric: str) -> str:  # noqa: ARG002 - of its own
        """No metric's."""
        return "area under the ROC curve, 0 to 1"

    def effects(self, rows: pd.DataFrame) -> pd.DataFrame:
        """Area of each seed that has a value in every row, and as many as others."""
        side = rows["target"].str.split("/").str[0]
        # A failure that does not know its target may be of either side.
        rows = rows.assign(side=side)[side.isin([*_SIDES, ""])]
        seeds = rows.groupby("seed")["value"].agg(["count", "size"])
        whole = seeds.index[seeds["count"] == seeds["size"].max()]
        areas = {
            seed: area_under_curve(
                *(of_seed.loc[of_seed["side"] == s, "value"] for s in _SIDES)
            )
            for seed, of_seed in rows[rows["seed"].isin(whole)].groupby("seed")
        }
        found = pd.Series(areas, dtype=float).rename_axis("seed").dropna()
        return found.to_frame("area")
