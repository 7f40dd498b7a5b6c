"""What we expect: the forms that a claim can take, pure statistics on rows.

A form looks at tidy rows (``seed``, ``value``, factor columns) and gives one effect a
seed, in the metric's unit. Most are one-sided: turned so that positive is what is
claimed, and supported above the margin. An ``TwoSided`` claims that an effect is
nought: it is supported inside the margins.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from mae_bench.records import stats
from mae_bench.records.rows import Where, matching, seed_means
from mae_bench.records.schema import Setting

ENOUGH_SEEDS = 3
Decision = Literal["supported", "refuted", "undecided"]


@dataclass(frozen=True)
class Form(ABC):
    """A form of claim: by default that an effect is above the margin.

    Args:
        margin: The smallest effect that would matter, stated before any data is
            seen; in the metric's unit.
    """

    # Whether an effect of 0 means that there is nothing: what ``Equivalence`` can deny.
    signed: ClassVar[bool] = True

    margin: float

    @abstractmethod
    def effects(self, rows: pd.DataFrame) -> pd.Series[float]:
        """One effect a seed (index ``seed``); seeds that lack a row are left out."""

    def interval(self, effects: npt.ArrayLike) -> tuple[float, float, float]:
        """Mean effect over seeds and its 95 % Student interval."""
        return stats.student_interval(effects)

    def decide(self, effects: npt.ArrayLike) -> Decision:
        """Where the interval lies from the margin; undecided below three seeds."""
        _, low, high = self.interval(effects)
        if np.size(effects) < ENOUGH_SEEDS:
            return "undecided"
        if low > self.margin:
            return "supported"
        return "refuted" if high < self.margin else "undecided"

    def p_value(self, effects: npt.ArrayLike) -> float:
        """Of the hypothesis that the claim is wrong, in [0, 1]; NaN if untestable."""
        return stats.p_value(effects, self.margin)

    def minimum_detectable_effect(self, effects: npt.ArrayLike) -> float:
        """Distance beyond the margin that would be supported 8 times in 10."""
        return stats.minimum_detectable_effect(effects)

    def location(self, rows: pd.DataFrame) -> str:  # noqa: ARG002 - a hook
        """Where the effect is, in words; empty where the form does not say."""
        return ""


@dataclass(frozen=True)
class TwoSided(Form):
    """The effect is nought: its signed mean is within the margin on both sides.

    Supported if the 95 % interval lies inside (-margin, margin), refuted if it lies
    wholly outside on one side. No evidence of a difference is not evidence of none:
    a wide interval is undecided.

    Raises:
        ValueError: The margin is not positive; no interval fits inside nothing.

    References:
        Schuirmann (1987), two one-sided tests; each at 2.5 %.
    """

    def __post_init__(self) -> None:
        if not self.margin > 0:
            raise ValueError(f"margin {self.margin} admits no interval; state one > 0")

    def decide(self, effects: npt.ArrayLike) -> Decision:
        """Where the interval lies from both margins; undecided below three seeds."""
        _, low, high = self.interval(effects)
        if np.size(effects) < ENOUGH_SEEDS:
            return "undecided"
        if -self.margin < low and high < self.margin:
            return "supported"
        outside = low > self.margin or high < -self.margin
        return "refuted" if outside else "undecided"

    def p_value(self, effects: npt.ArrayLike) -> float:
        """The larger of the two one-sided tests."""
        above = stats.p_value(effects, -self.margin)
        return max(above, stats.p_value(-np.asarray(effects), -self.margin))

    def minimum_detectable_effect(self, effects: npt.ArrayLike) -> float:
        """Margin that would be kept 8 times in 10 if the effect were exactly nought.

        A larger one than the form's own says that these seeds were too few.
        """
        return stats.minimum_provable_margin(effects)


def difference(
    rows: pd.DataFrame, one: Where, other: Where | float, *along: str
) -> pd.Series[float]:
    """Value of one condition less that of another, or less a constant.

    Args:
        rows: Tidy rows.
        one: Row filters.
        other: Row filters, or a constant in the metric's unit.
        along: Columns whose points are kept apart.

    Returns:
        Indexed by seed and ``along``; NaN where a side is lacking.
    """
    value = seed_means(matching(rows, one), *along)
    return value - constant_or_means(rows, other, *along)


def constant_or_means(
    rows: pd.DataFrame, what: Where | float, *along: str
) -> pd.Series[float] | float:
    """Means of each seed at each point of ``along``, if ``what`` is no constant."""
    if isinstance(what, Mapping):
        return seed_means(matching(rows, what), *along)
    return what


def by_point(values: pd.Series[float], along: tuple[str, ...]) -> pd.DataFrame:
    """Seeds against the points of ``along``; one column if there is no factor.

    >>> index = pd.MultiIndex.from_product([[0, 1], ["a", "b"]], names=["seed", "x"])
    >>> by_point(pd.Series([1, 2, 3, 4], index), ("x",)).to_numpy().tolist()
    [[1, 2], [3, 4]]
    """
    # A pivot table would add the points that the grid leaves out.
    return values.unstack(list(along)) if along else values.to_frame()  # noqa: PD010


def hardest(table: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Of several effects that must all be positive, the one hardest to show.

    It is the one whose interval over seeds starts lowest (intersection-union): above
    a margin, it takes all others with it, and no correction for their number is due.

    Args:
        table: Effects ``[s, k]``.

    Returns:
        ``[s]``.
    """
    if len(table) < 2:
        return table[:, int(np.argmin(table[0]))]
    lows = [stats.student_interval(effects)[1] for effects in table.T]
    return table[:, int(np.argmin(lows))]


def farthest(table: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Of several effects that must all be nought, the one hardest to show.

    It is the one whose interval over seeds reaches farthest from 0, on either side.

    Args:
        table: Effects ``[s, k]``.

    Returns:
        ``[s]``.
    """

    def reach(effects: npt.NDArray[np.float64]) -> float:
        mean, low, high = stats.student_interval(effects)
        return abs(mean) if math.isnan(low) else max(-low, high)

    return table[:, int(np.argmax([reach(effects) for effects in table.T]))]


@dataclass(frozen=True)
class Control:
    """Where the claim must not hold: another world, token, method or level.

    Args:
        reason: Why the claim must fail there; or, with nothing else, why there is no
            such place, and the claim stands without a control.
        where: Row filters that replace the prediction's own, e.g. another method.
        shuffle: A factor whose values are permuted within each seed.
        form: Held against the data in place of the prediction's own, e.g. an equality
            with a wrong closed form.
    """

    reason: str
    where: Mapping[str, Setting] = field(default_factory=dict)
    shuffle: str | None = None
    form: Form | None = None
