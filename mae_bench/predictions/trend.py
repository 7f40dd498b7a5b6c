"""The metric rises, or falls, along the levels of a factor."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from mae_bench.predictions import Form
from mae_bench.records.rows import seed_table, value_in_words
from mae_bench.records.schema import Setting
from mae_bench.records.strength import ANYTIME, DECISIVE, Rule

_LINE = "line"


@dataclass(frozen=True)
class Trend(Form):
    """A straight line through the levels changes by more than the margin.

    The first effect of a seed is the least-squares slope of the value over the levels'
    ordinal positions, times the number of steps: the change from the first level to
    the last that the line says, in the metric's unit. Ordinal, because grids such as
    0.1, 0.25, 0.5 or 2, 4, 8 are stepped as the question is, not evenly.

    A line through a curve that turns back rises as well. So a monotone claim is not
    supported where any level is decidedly on the wrong side of an earlier one, by
    however little; and it is refuted where one of all pairs is, over their number. The
    further effects are these steps back, positive where the claim is wrong.

    Args:
        margin: Smallest change that would matter.
        factor: Column of the levels.
        direction: What is claimed of the value as the factor rises.
        levels: In their order; all that are measured, sorted, if None.
        monotone: Whether no level may be behind an earlier one; else the claim is of
            the line alone, and its sentence should say so.

    Raises:
        ValueError: No such direction, or fewer than two distinct levels.
    """

    factor: str
    direction: Literal["increasing", "decreasing"] = "increasing"
    levels: tuple[Setting, ...] | None = None
    monotone: bool = True

    def __post_init__(self) -> None:
        if self.direction not in ("increasing", "decreasing"):
            raise ValueError(
                f"direction {self.direction!r} is neither 'increasing' nor 'decreasing'"
            )
        if self.levels is not None and len(set(self.levels)) < max(2, len(self.levels)):
            raise ValueError(f"levels {self.levels} are not two or more distinct ones")

    @property
    def quantity(self) -> str:
        """Along which levels, and which way."""
        way = "rise" if self.direction == "increasing" else "fall"
        levels = ", ".join(map(value_in_words, self.levels or ()))
        over = f" over {levels}" if levels else ""
        return f"the {way} on a straight line along {self.factor}{over}"

    @property
    def words(self) -> str:
        """And that no step leads back, where that is claimed."""
        back = ", and no level is behind an earlier one" if self.monotone else ""
        return f"{super().words}{back}"

    @property
    def _sign(self) -> int:
        return 1 if self.direction == "increasing" else -1

    def effects(self, rows: pd.DataFrame) -> pd.DataFrame:
        """Change along the line, and steps back, of each seed that has every level."""
        table = self._sign * seed_table(rows, self.factor, self.levels)
        steps = table.shape[1] - 1
        if steps < 1:
            return pd.DataFrame(columns=[_LINE], dtype=float)
        values = table.to_numpy()
        position = np.arange(steps + 1) - steps / 2
        weights = steps * position / (position**2).sum()
        # In pairs of levels, so that where nothing changes the line is flat to the bit.
        half = (steps + 1) // 2
        ends = values[:, ::-1] - values
        line = ends[:, :half] @ weights[::-1][:half]
        earlier, later = np.triu_indices(steps + 1, 1)
        back = values[:, earlier] - values[:, later]
        steps_back = [f"{b} behind {a}" for a, b in combinations(table.columns, 2)]
        effects = np.column_stack([line, back])
        return pd.DataFrame(effects, table.index, [_LINE, *steps_back])

    def parts(self, effects: pd.DataFrame) -> npt.NDArray[np.float64]:
        """The line, ``[s, 1]``."""
        return effects[[_LINE]].to_numpy(dtype=float)

    def _back(self, effects: pd.DataFrame, rule: Rule) -> list[float]:
        """Strength of each step back; of the line alone none is asked for."""
        # Of two levels the only step is the line.
        if not self.monotone or effects.shape[1] == 2:
            return []
        back = effects.drop(columns=_LINE).to_numpy(dtype=float)
        return [rule.above(x, 0.0) for x in back.T]

    def support(
        self, effects: pd.DataFrame, margin: float, rule: Rule = ANYTIME
    ) -> float:
        """That of the line; 1 at most where a step back is decided."""
        line = super().support(effects, margin, rule)
        turned = any(x >= DECISIVE for x in self._back(effects, rule))
        return min(line, 1.0) if turned else line

    def refute(
        self, effects: pd.DataFrame, margin: float, rule: Rule = ANYTIME
    ) -> float:
        """The stronger of the line's and the steps', over two."""
        line, back = super().refute(effects, margin, rule), self._back(effects, rule)
        return max(line, max(back) / len(back)) / 2 if back else line

    def kind(self, effects: pd.DataFrame, rule: Rule = ANYTIME) -> str:
        """As the line is; or, where the line is not refuted, that it turns back."""
        line = super().refute(effects, self.margin, rule)
        back = self._back(effects, rule)
        if back and max(back) / len(back) > line:
            return "not monotone"
        return super().kind(effects, rule)

    def headroom(self, rows: pd.DataFrame, ceiling: float) -> float:
        """From the level where the claim has the least to the ceiling."""
        table = seed_table(rows, self.factor, self.levels)
        if table.shape[1] < 2:
            return float("nan")
        least = table.iloc[:, 0 if self._sign == 1 else -1]
        return float(ceiling - least.mean())
