"""A condition looks like one other more than like a third."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from mae_bench.predictions import Form
from mae_bench.records.rows import seed_means, value_in_words
from mae_bench.records.schema import Setting


@dataclass(frozen=True)
class Nearer(Form):
    """The profile at a level is nearer to that at ``near`` than to that at ``far``.

    A profile is the values over targets, ``v_t``; the effect of a seed is
    ``d(level, far) - d(level, near)`` with ``d`` the root mean square over targets of
    the difference. Noise lengthens the shorter distance more, so it draws the effect
    towards 0 and hides a real one rather than making one, if it is as large at
    ``near`` as at ``far``.

    A level may be a tuple of those that stand for it in grids of several sizes, of
    which no two are in the rows of one: one patch of 16 and six of 64 are the same
    ratio, as near as can be.

    Args:
        margin: Smallest difference of distances that would matter.
        factor: Column of the three levels, e.g. ``method``.
        level: Whose likeness is asked for.
        near: What it should be like.
        far: What it should be less like.

    Raises:
        ValueError: The three levels are not distinct, or one has no value.
    """

    factor: str
    level: Setting | tuple[Setting, ...]
    near: Setting | tuple[Setting, ...]
    far: Setting | tuple[Setting, ...]

    def __post_init__(self) -> None:
        three = (self.level, self.near, self.far)
        each = [x if isinstance(x, tuple) else (x,) for x in three]
        named = [value for values in each for value in values]
        if len(set(named)) < len(named) or not all(each):
            raise ValueError(f"levels {three} are not three distinct ones")

    @property
    def quantity(self) -> str:
        """Whose distances, over the targets."""
        level, near, far = (
            value_in_words(x) for x in (self.level, self.near, self.far)
        )
        return f"the distance of {self.factor} {level} to {far}, less that to {near},"

    @property
    def _roles(self) -> dict[Setting, int]:
        """Value -> 0 at the level, 1 at ``near``, 2 at ``far``."""
        three = (self.level, self.near, self.far)
        return {
            value: role
            for role, level in enumerate(three)
            for value in (level if isinstance(level, tuple) else (level,))
        }

    def effects(self, rows: pd.DataFrame) -> pd.DataFrame:
        """Difference of distances, of each seed that has the three whole profiles."""
        roles = self._roles
        if self.factor not in rows:
            raise ValueError(f"no factor {self.factor!r} in the rows")
        # A failed cell has one row without a target: its profile stays incomplete.
        rows = rows[rows[self.factor].isin(list(roles)) & (rows["target"] != "")]
        rows = rows.assign(role=[roles[value] for value in rows[self.factor]])
        means = seed_means(rows, "role", "target").reset_index()
        table = means.pivot_table(
            index="seed", columns=["role", "target"], values="mean", dropna=False
        ).dropna()
        if table.empty or means["role"].nunique() < 3:
            return pd.DataFrame(columns=["distance"], dtype=float)
        here, near, far = (table[role].to_numpy() for role in range(3))
        distances = [np.sqrt(((here - v) ** 2).mean(axis=1)) for v in (far, near)]
        further = distances[0] - distances[1]
        return pd.DataFrame({"distance": further}, index=table.index)
