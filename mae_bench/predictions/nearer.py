"""A condition looks like one other more than like a third."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from mae_bench.predictions import Form
from mae_bench.records.rows import seed_means
from mae_bench.records.schema import Setting


@dataclass(frozen=True)
class Nearer(Form):
    """The profile at a level is nearer to that at ``near`` than to that at ``far``.

    A profile is the values over targets, ``v_t``; the effect of a seed is
    ``d(level, far) - d(level, near)`` with ``d`` the root mean square over targets of
    the difference. Noise lengthens the shorter distance more, so it draws the effect
    towards 0 and hides a real one rather than making one, if it is as large at
    ``near`` as at ``far``.

    Args:
        margin: Smallest difference of distances that would matter.
        factor: Column of the three levels, e.g. ``method``.
        level: Whose likeness is asked for.
        near: What it should be like.
        far: What it should be less like.

    Raises:
        ValueError: The three levels are not distinct.
    """

    factor: str
    level: Setting
    near: Setting
    far: Setting

    def __post_init__(self) -> None:
        three = (self.level, self.near, self.far)
        if len(set(three)) < 3:
            raise ValueError(f"levels {three} are not three distinct ones")

    def effects(self, rows: pd.DataFrame) -> pd.DataFrame:
        """Difference of distances, of each seed that has the three whole profiles."""
        three = [self.level, self.near, self.far]
        if self.factor not in rows:
            raise ValueError(f"no factor {self.factor!r} in the rows")
        # A failed cell has one row without a target: its profile stays incomplete.
        rows = rows[rows[self.factor].isin(three) & (rows["target"] != "")]
        means = seed_means(rows, self.factor, "target").reset_index()
        table = means.pivot_table(
            index="seed", columns=[self.factor, "target"], values="mean", dropna=False
        ).dropna()
        if table.empty or means[self.factor].nunique() < 3:
            return pd.DataFrame(columns=["distance"], dtype=float)
        here, near, far = (table[level].to_numpy() for level in three)
        distances = [np.sqrt(((here - v) ** 2).mean(axis=1)) for v in (far, near)]
        further = distances[0] - distances[1]
        return pd.DataFrame({"distance": further}, index=table.index)
