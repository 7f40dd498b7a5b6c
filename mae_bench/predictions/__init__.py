"""What we expect: the forms that a claim can take, pure statistics on rows.

A form looks at tidy rows (``seed``, ``value``, factor columns) and gives the effects of
each seed, in the metric's unit: one, or several that must all be as claimed. Most are
one-sided: turned so that positive is what is claimed, and supported above the margin. A
``TwoSided`` claims that an effect is nought: it is supported inside the margins.

A form says how strongly effects speak for it and against it, by a ``Rule``; nothing
depends on the order of the seeds. That all of several effects are above the margin is
as strong as the weakest; that one of k is not, as the strongest over k; and the same
with the sides exchanged where one of several is enough.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Literal, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from mae_bench.records.rows import Where, in_words, matching, seed_means
from mae_bench.records.schema import Setting
from mae_bench.records.strength import (
    ANYTIME,
    DECISIVE,
    ENOUGH_SEEDS,
    Rule,
    detectable,
)

Effects = npt.NDArray[np.float64]
Decision = Literal["supported", "refuted", "undecided"]


class Interval(NamedTuple):
    """An effect, and the margins between which neither side is decided.

    Args:
        estimate: Of the part of the claim that is hardest to show.
        low: The claim would be supported at any margin below it.
        high: It would be refuted at any margin above it.
    """

    estimate: float = math.nan
    low: float = math.nan
    high: float = math.nan


@dataclass(frozen=True)
class Form(ABC):
    """A form of claim: by default that every effect is above the margin.

    Args:
        margin: The smallest effect that would matter, stated before any data is
            seen; in the metric's unit.
    """

    # Whether an effect of 0 means that there is nothing: what ``Equivalence`` can deny.
    signed: ClassVar[bool] = True
    # The effect where there is nothing.
    nothing: ClassVar[float] = 0.0
    # Whether seeds are a sample, of which something is inferred.
    inferred: ClassVar[bool] = True
    # Seeds below which nothing is decided.
    enough: ClassVar[int] = ENOUGH_SEEDS

    margin: float

    @abstractmethod
    def effects(self, rows: pd.DataFrame) -> pd.DataFrame:
        """Effects ``[seed, part]``; seeds that lack a row are left out."""

    @property
    def quantity(self) -> str:
        """What an effect is, in words."""
        return f"the effect of a {type(self).__name__.lower()}"

    @property
    def words(self) -> str:
        """What is claimed of the effects, with the margin, in words."""
        return f"{self.quantity} is above {self.margin:g}"

    def unit(self, metric: str) -> str:
        """What estimate and margin are counted in; by default as the metric is."""
        return metric

    def parts(self, effects: pd.DataFrame) -> Effects:
        """The effects that the margin is for, ``[s, k]``."""
        return effects.to_numpy(dtype=float)

    def support(
        self, effects: pd.DataFrame, margin: float, rule: Rule = ANYTIME
    ) -> float:
        """Strength that the claim is right; 1 without effects."""
        return min((rule.above(x, margin) for x in self.parts(effects).T), default=1.0)

    def refute(
        self, effects: pd.DataFrame, margin: float, rule: Rule = ANYTIME
    ) -> float:
        """Strength that the claim is wrong; 1 without effects."""
        below = [rule.above(-x, -margin) for x in self.parts(effects).T]
        return max(below, default=1.0) / max(1, len(below))

    def decide(
        self, effects: pd.DataFrame, asked: float = DECISIVE, rule: Rule = ANYTIME
    ) -> Decision:
        """Which side has the strength that is asked for; a refutation comes first."""
        if self.refute(effects, self.margin, rule) >= asked:
            return "refuted"
        supported = self.support(effects, self.margin, rule) >= asked
        return "supported" if supported else "undecided"

    def beyond(
        self, effects: pd.DataFrame, control: pd.DataFrame, rule: Rule = ANYTIME
    ) -> float:
        """Strength that each effect is above the control's, paired by seed."""
        both = self.parts(effects - control)
        if both.shape[1] != effects.shape[1]:
            return 1.0
        whole = both[np.isfinite(both).all(axis=1)]
        return min((rule.above(x, 0.0) for x in whole.T), default=1.0)

    def as_claimed(self, effects: pd.DataFrame) -> npt.NDArray[np.bool_]:
        """Whether each seed is on its own, ``[s]``: every effect above the margin."""
        claimed: npt.NDArray[np.bool_] = self.parts(effects).min(axis=1) > self.margin
        return claimed

    def interval(
        self,
        effects: pd.DataFrame,
        rule: Rule = ANYTIME,
        strength: float = DECISIVE,
    ) -> Interval:
        """Of the hardest part: the margins that both sides leave open."""
        return weakest(self.parts(effects), rule, strength)

    def kind(self, effects: pd.DataFrame, rule: Rule = ANYTIME) -> str:
        """How a refuted claim is wrong, in words."""
        _, low, high = self.interval(effects, rule)
        if high < self.nothing:
            return "reversed"
        return "smaller than claimed" if low > self.nothing else "no effect"

    def minimum_detectable_effect(
        self, effects: pd.DataFrame, rule: Rule = ANYTIME, power: float = 0.8
    ) -> float:
        """Distance beyond the margin that would be supported 8 times in 10, or more.

        The mean over what the spread may be; of k parts each has to be seen with
        ``1 - (1 - power) / k``. Infinite with fewer than four seeds.
        """
        return self._distance(effects, rule, power, two_sided=False)

    def _distance(
        self,
        effects: pd.DataFrame,
        rule: Rule,
        power: float,
        *,
        two_sided: bool,
        strength: float = DECISIVE,
    ) -> float:
        parts = self.parts(effects)
        n, k = parts.shape
        if n < 2 or not k:
            return math.nan
        each = 1 - (1 - power) / k
        errors = parts.std(axis=0, ddof=1) / math.sqrt(n)
        if not errors.any():
            return 0.0
        distance = detectable(n, rule.critical(n, strength), each, two_sided=two_sided)
        return float(errors.max() * distance)

    def headroom(self, rows: pd.DataFrame, ceiling: float) -> float:  # noqa: ARG002 - a hook
        """The largest effect that a ceiling allows; NaN if the form cannot say."""
        return math.nan

    def location(self, rows: pd.DataFrame) -> str:  # noqa: ARG002 - a hook
        """Where the effect is, in words; empty where the form does not say."""
        return ""


def weakest(parts: Effects, rule: Rule, strength: float = DECISIVE) -> Interval:
    """Interval of the least of some effects, ``[s, k]``."""
    if not parts.size:
        return Interval()
    k = parts.shape[1]
    # Against a claim of k parts any of them speaks, the strongest over k.
    pairs = [
        (rule.interval(x, strength), rule.interval(x, strength * k)) for x in parts.T
    ]
    return Interval(
        min(claimed[0] for claimed, _ in pairs),
        min(claimed[1] for claimed, _ in pairs),
        min(denied[2] for _, denied in pairs),
    )


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


def side(what: Where | float) -> str:
    """One side of a comparison, in words.

    >>> side({"method": "mae", "target": "c"}), side({}), side(0.5)
    ('[method mae, target c]', 'the value', '0.5')
    """
    compound = isinstance(what, Mapping) and what
    return f"[{in_words(what)}]" if compound else in_words(what)


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


@dataclass(frozen=True)
class Control:
    """Where the claim must not hold: another world, token, method or level.

    Args:
        reason: Why the claim must fail there; or, with nothing else, why there is no
            such place, and the claim stands without a control.
        where: Row filters that replace the prediction's own, e.g. another method.
        form: Held against the data in place of the prediction's own, e.g. an equality
            with a wrong closed form.
    """

    reason: str
    where: Mapping[str, Setting | tuple[Setting, ...]] = field(default_factory=dict)
    form: Form | None = None

    @property
    def absent(self) -> bool:
        """Whether there is no place in which the claim must fail."""
        return not self.where and self.form is None
