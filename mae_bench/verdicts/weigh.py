"""One claim and its control, weighed: how strongly the rows speak, and for what."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import pandas as pd

from mae_bench.predictions import Form, Interval
from mae_bench.records.rows import Measurements, Where, matching
from mae_bench.records.strength import (
    ANYTIME,
    DECISIVE,
    FIXED,
    Rule,
    of_signs,
    seeds_until,
)
from mae_bench.verdicts.evidence import applicable, coverage, failures, select

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

    @property
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
                name, *self.form.interval(x, self.rule) if len(x) else (math.nan,) * 3
            )
            for name, x in self.effects.items()
        )

    @property
    def p_value(self) -> float:
        """One-sided, had the number of seeds been fixed; NaN where none is inferred."""
        if not self.form.inferred or self.n_seeds < 2:
            return math.nan
        return min(1.0, 0.5 / self.supporting(replace(FIXED, at=self.rule.at)))

    def more_seeds(self, asked: float) -> float:
        """How many more would decide, if mean and spread stayed as they are."""
        if self.strength >= asked or not self.form.inferred:
            return 0.0
        if not math.isfinite(asked) or self.n_seeds < 2:
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


@dataclass(frozen=True)
class Case:
    """A claim, its control, and how they differ.

    Args:
        prediction: The claim.
        claim: Its effects.
        control: Those of its control; None if there is no such place.
        difference: Claim less control, in the claim's unit; NaN if they have none in
            common.
        beyond: Strength that it is above 0.
        headroom: Largest effect that the ceiling allows; NaN if it is not stated.
        unconverged: What keeps a claim about optima from being judged, in words.
    """

    prediction: Prediction
    claim: Weighed
    control: Weighed | None
    difference: float = math.nan
    beyond: float = 1.0
    headroom: float = math.nan
    unconverged: str = ""


def case(
    prediction: Prediction, measurements: Measurements, rule: Rule = ANYTIME
) -> Case:
    """Weigh a claim and its control.

    Args:
        prediction: The claim.
        measurements: Experiment id -> its tidy rows.
        rule: How they are weighed.

    Raises:
        ValueError: An unknown column, or rows that cannot be looked at together.
    """
    claim = weigh(prediction, _rows(measurements, prediction, prediction.where), rule)
    control, difference, beyond = None, math.nan, 1.0
    if not prediction.control.absent:
        where = {**prediction.where, **prediction.control.where}
        rows = _rows(measurements, prediction, where)
        control = weigh(prediction, rows, rule, prediction.control.form)
        if prediction.control.form is None:
            difference, beyond = _apart(claim, control)
    headroom = _headroom(claim, prediction, measurements)
    unconverged = _unconverged(claim, measurements) if prediction.converged else ""
    return Case(prediction, claim, control, difference, beyond, headroom, unconverged)


def _rows(
    measurements: Measurements, prediction: Prediction, where: Where
) -> pd.DataFrame:
    metrics = tuple(m for m in (prediction.metric, prediction.against) if m)
    return select(measurements, prediction.experiment, metrics, where)


def _headroom(
    claim: Weighed, prediction: Prediction, measurements: Measurements
) -> float:
    """The largest effect below the ceiling; NaN if none is stated or measured."""
    ceiling = prediction.ceiling
    if ceiling is None or not claim.measured:
        return math.nan
    if isinstance(ceiling, Mapping):
        there = {**prediction.where, **ceiling}
        ceiling = float(_rows(measurements, prediction, there)["value"].mean())
    return claim.form.headroom(applicable(claim.rows), ceiling)


def _apart(claim: Weighed, control: Weighed) -> tuple[float, float]:
    """Least difference of estimates, and the strength that every one is above 0."""
    found = []
    for name, effects in claim.effects.items():
        there = control.effects.get(name)
        if there is None and len(control.effects) == 1:
            (there,) = control.effects.values()
        if there is None or there.empty or effects.empty:
            return math.nan, 1.0
        both = claim.form.parts((effects - there).dropna())
        apart = float(both.mean(axis=0).min()) if both.size else math.nan
        found.append((apart, claim.form.beyond(effects, there, claim.rule)))
    if not found:
        return math.nan, 1.0
    return min(apart for apart, _ in found), min(strength for _, strength in found)


def _unconverged(claim: Weighed, measurements: Measurements) -> str:
    """Which cells of a claim are still on their way, in words; empty if none is."""
    cells = set(claim.rows.loc[claim.rows["status"] == "ok", "cell"])
    if not cells:
        return ""
    curves = pd.concat(
        [
            matching(rows, {"metric": "convergence", "target": "converged"})
            for rows in measurements.values()
            if cells.intersection(rows["cell"])
        ]
    )
    said = curves[curves["cell"].isin(cells) & (curves["status"] == "ok")]
    lacking = len(cells - set(said["cell"]))
    if lacking:
        return f"{lacking} of {len(cells)} cells have no learning curve"
    still = said[said["value"] == 0]["cell"].nunique()
    return f"{still} of {len(cells)} cells have not converged" if still else ""


def control_verdict(case: Case) -> str:
    """Of the control alone."""
    return "none" if case.control is None else case.control.decided(DECISIVE)


def summary(case: Case) -> dict[str, object]:
    """The numbers of a verdict that do not depend on other predictions."""
    claim, form = case.claim, case.claim.form
    estimate, low, high = claim.interval
    above, signs = claim.of_signs()
    ours = applicable(claim.rows)
    return {
        "form": type(form).__name__.lower(),
        "estimate": estimate,
        "ci_low": low,
        "ci_high": high,
        "margin": form.margin,
        "n_seeds": claim.n_seeds,
        "e_value": claim.strength if form.inferred and claim.measured else math.nan,
        "p_value": claim.p_value,
        "above": above,
        "sign_e_value": signs,
        "failed": failures(claim.rows) if len(claim.rows) else "",
        "control_verdict": control_verdict(case),
        "difference": case.difference,
        "difference_e_value": math.nan if math.isnan(case.difference) else case.beyond,
        "headroom": case.headroom,
        "minimum_detectable_effect": (
            form.minimum_detectable_effect(claim.hardest, claim.rule)
            if len(claim.hardest)
            else math.nan
        ),
        "coverage": coverage(claim.rows),
        "conditions": claim.conditions,
        "location": form.location(ours) if claim.measured else "",
    }
