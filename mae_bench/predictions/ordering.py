"""The levels of a factor stand in a given order, each above the one before it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd

from mae_bench.predictions import Form, hardest
from mae_bench.records.rows import seed_table
from mae_bench.records.schema import Setting


@dataclass(frozen=True)
class Ordering(Form):
    """Each level is above the one before it by more than the margin, paired by seed.

    *Every* step must pass (intersection-union): the effect is the adjacent step that
    is hardest to pass, the one whose interval over seeds starts lowest, so false
    support stays below 2.5 %. The price is power, and a refutation that is too easy:
    where k steps all stand at the margin, the lowest of them is refuted in up to
    k x 2.5 %.

    Args:
        margin: Smallest step that would matter.
        factor: Any column, e.g. ``method``.
        levels: From the lowest to the highest.

    Raises:
        ValueError: Fewer than two distinct levels.
    """

    signed: ClassVar[bool] = False

    factor: str
    levels: tuple[Setting, ...]

    def __post_init__(self) -> None:
        if len(set(self.levels)) < max(2, len(self.levels)):
            raise ValueError(f"levels {self.levels} are not two or more distinct ones")

    def effects(self, rows: pd.DataFrame) -> pd.Series:
        """The hardest step, of each seed that has every level."""
        table = seed_table(rows, self.factor, self.levels)
        if table.empty:
            return pd.Series(dtype=float)
        return pd.Series(hardest(np.diff(table.to_numpy())), index=table.index)
