"""A claim and its control, side by side: what a verdict has to know of the rows."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from mae_bench.records.rows import Measurements, Where
from mae_bench.records.strength import ANYTIME, DECISIVE, Rule
from mae_bench.verdicts.cuts import Cuts
from mae_bench.verdicts.evidence import applicable, coverage, failures, select
from mae_bench.verdicts.planting import plant
from mae_bench.verdicts.weigh import Weighed, weigh

if TYPE_CHECKING:
    from mae_bench.theories import Prediction


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
    measurements = Cuts.of(measurements)
    rows = plant(prediction, _rows(measurements, prediction, prediction.where))
    claim = weigh(prediction, rows, rule)
    control, difference, beyond = None, math.nan, 1.0
    if not prediction.control.absent:
        where = {**prediction.where, **prediction.control.where}
        form = prediction.control.form
        rows = plant(prediction, _rows(measurements, prediction, where), form)
        control = weigh(prediction, rows, rule, form)
        if form is None:
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
    said = Cuts.of(measurements).converged
    said = said[said["cell"].isin(cells)]
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
