"""The levels of a factor stand in a given order, each above the one before it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import pandas as pd

from mae_bench.predictions import Form
from mae_bench.records.rows import seed_table, value_in_words
from mae_bench.records.schema import Setting


@dataclass(frozen=True)
class Ordering(Form):
    """Each level is above the one before it by more than the margin, paired by seed.

    *Every* adjacent step must pass, each is a part of the claim; its strength is that
    of the weakest, so that no correction for their number is due, and the price is
    power.

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

    @property
    def quantity(self) -> str:
        """Each step, in the order that is claimed."""
        order = ", ".join(map(value_in_words, self.levels))
        return f"every step up along {self.factor} in the order {order}"

    def effects(self, rows: pd.DataFrame) -> pd.DataFrame:
        """The steps, of each seed that has every level."""
        return seed_table(rows, self.factor, self.levels).diff(axis=1).iloc[:, 1:]
