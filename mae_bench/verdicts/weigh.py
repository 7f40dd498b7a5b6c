"""The effects of a claim, weighed: how strongly its rows speak, and for what."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import pandas as pd

from mae_bench.predictions import Form, Interval
from mae_bench.records.strength import (
    ANYTIME,
    ENOUGH_SEEDS,
    FIXED,
    Rule,
    of_signs,
    seeds_until,
)
from mae_bench.verdicts.evidence import applicable

if TYPE_CHECKING:
    from mae_bench.theories import Prediction


@dataclass(frozen=True)
class Weighed:
    """The effects of a claim, in each condition in which it must hold.

    Args:
        form: The claim's statistics.
        rows: What it speaks of, failures and what is missing with NaN values.
        effects: Condition in words -> effects ``[seed, part]``.
        rule: How they are weighed.
    """

    form: Form
    rows: pd.DataFrame
    effects: Mapping[str, pd.DataFrame]
    rule: Rule = ANYTIME

    @cached_property
    def measured(self) -> bool:
        """Whether any row has a value."""
        return bool(self.rows["value"].notna().any())

    def supporting(self, rule: Rule | None = None) -> float:
        """Strength that the claim holds in every condition; 1 without effects."""
        of, margin = self.form.support, self.form.margin
        return min(
            (of(x, margin, rule or self.rule) for x in self.effects.values()),
            default=1.0,
        )

    def refuting(self, rule: Rule | None = None) -> float:
        """Strength that it fails in one of them, over their number."""
        of, margin = self.form.refute, self.form.margin
        found = [of(x, margin, rule or self.rule) for x in self.effects.values()]
        return max(found, default=1.0) / max(1, len(found))

    @cached_property
    def support(self) -> float:
        """``supporting`` by the rule."""
        return self.supporting()

    @cached_property
    def refutation(self) -> float:
        """``refuting`` by the rule."""
        return self.refuting()

    @property
    def strength(self) -> float:
        """Of the stronger side."""
        return max(self.support, self.refutation)

    def decided(self, asked: float) -> str:
        """Supported, refuted or undecided at a strength."""
        if not self.measured:
            return "not_measured"
        if self.refutation >= asked:
            return "refuted"
        return "supported" if self.support >= asked else "undecided"

    def shown(self) -> tuple[str, pd.DataFrame]:
        """The condition that is hardest to show, and its effects."""
        of, margin = self.form.support, self.form.margin
        return min(
            self.effects.items(),
            key=lambda item: of(item[1], margin, self.rule),
            default=("", pd.DataFrame()),
        )

    @cached_property
    def hardest(self) -> pd.DataFrame:
        """Effects ``[seed, part]`` in that condition."""
        return self.shown()[1]

    @cached_property
    def interval(self) -> Interval:
        """In that condition."""
        if self.hardest.empty:
            return Interval()
        return self.form.interval(self.hardest, self.rule)

    @property
    def kind(self) -> str:
        """Of a refuted claim: how it is wrong in the condition that says so most."""
        effects = max(
            self.effects.values(),
            key=lambda x: self.form.refute(x, self.form.margin, self.rule),
        )
        return self.form.kind(effects, self.rule)

    @property
    def n_seeds(self) -> int:
        """Seeds with effects, in the condition that has the fewest."""
        return min((len(x) for x in self.effects.values()), default=0)

    @property
    def conditions(self) -> str:
        """Each condition with its estimate and interval, in words; empty for one."""
        if len(self.effects) < 2:
            return ""
        return "; ".join(
            "{} {:.3g} ({:.3g} to {:.3g})".format(
                name, *self.form.interval(x, self.rule) if len(x) else Interval()
            )
            for name, x in self.effects.items()
        )

    @property
    def p_value(self) -> float:
        """One-sided, had the number of seeds been fixed.

        NaN where none is inferred, or the seeds are too few to say anything.
        """
        if not self.form.inferred or self.n_seeds < ENOUGH_SEEDS:
            return math.nan
        return min(1.0, 0.5 / self.supporting(replace(FIXED, at=self.rule.at)))

    def more_seeds(self, asked: float) -> float:
        """How many more would decide, if mean and spread stayed as they are.

        NaN where the seeds are too few for a spread.
        """
        if self.strength >= asked or not self.form.inferred:
            return 0.0
        if not math.isfinite(asked) or self.n_seeds < ENOUGH_SEEDS:
            return math.nan
        n = self.n_seeds

        def enough(seeds: int) -> bool:
            rule = replace(self.rule, at=seeds)
            return max(self.supporting(rule), self.refuting(rule)) >= asked

        return seeds_until(enough, n) - n

    def of_signs(self) -> tuple[str, float]:
        """Seeds whose every part is as claimed, of all, and how strong that is."""
        if self.hardest.empty or not self.form.inferred:
            return "", math.nan
        claimed = self.form.as_claimed(self.hardest)
        return f"{claimed.sum()}/{len(claimed)}", of_signs(claimed)


def weigh(
    prediction: Prediction,
    rows: pd.DataFrame,
    rule: Rule = ANYTIME,
    form: Form | None = None,
) -> Weighed:
    """The effects of a claim's rows, apart in each condition that it names.

    Args:
        prediction: Its ``each`` names the conditions.
        rows: See ``evidence.select``.
        rule: How they are weighed.
        form: In place of the prediction's own.
    """
    form = form or prediction.form
    # Without any value a form has nothing to look at.
    if not rows["value"].notna().any():
        return Weighed(form, rows, {}, rule)
    ours = applicable(rows)
    effects = {
        name: form.effects(mine) for name, mine in _conditions(ours, prediction.each)
    }
    return Weighed(form, rows, effects, rule)


def _conditions(
    rows: pd.DataFrame, each: tuple[str, ...]
) -> list[tuple[str, pd.DataFrame]]:
    if not each:
        return [("", rows)]
    return [
        (" ".join(map(_word, at)), mine)
        for at, mine in rows.groupby(list(each), dropna=False)
    ]


def _word(value: object) -> str:
    return f"{value:g}" if isinstance(value, int | float) else str(value)
