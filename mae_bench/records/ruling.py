"""What is said of predictions and of theories; CSV columns are the fields, in order."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, get_args

Ruling = Literal[
    "supported",  # decided for the claim, and against its control
    "refuted",  # decided against the claim
    "undecided",  # the seeds do not tell
    "void",  # supported, and so is its control
    "control_open",  # supported, and its control cannot tell
    "untestable",  # less room below the ceiling than the margin and its error
    "not_converged",  # about optima, of cells that are still on their way
    "depends_on_scale",  # supported at one size, refuted at another
    "not_measured",
]
RULINGS: tuple[str, ...] = get_args(Ruling)


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What the data say of one prediction.

    ``estimate``, ``ci_low``, ``ci_high`` and ``margin`` are in the metric's unit and
    turned so that positive is what the theory claims; the interval holds at any number
    of seeds at which one looks. Some forms read otherwise: of an equality or an
    equivalence they are the signed difference, which is claimed to lie within the
    margin on both sides; of a bound, the least slack of all seeds and the range of
    theirs, claimed to be at least -margin, from which nothing is inferred; of a
    membership, the area under the curve.

    Args:
        prediction: ``theory/number``.
        theory: Theory id.
        standing: How the paper has it, and whether there is no control; ``planted`` of
            a claim that was made false on purpose.
        form: Class of its statistics.
        verdict: By all predictions together; see ``Ruling``.
        kind: Of a refuted one, how it is wrong, e.g. ``reversed``.
        alone: supported, refuted or undecided, if it were the only prediction.
        phase: Seeds that were judged: ``pilot``, ``confirmatory``, or ``all`` if it is
            not registered.
        pilot: Verdict of the pilot's seeds.
        confirmed: Of a pilot that is decided: whether new seeds say the same.
        estimate: See above; of the condition that is hardest to show.
        ci_low: See above.
        ci_high: See above.
        margin: See above.
        n_seeds: Seeds with every row.
        e_value: Strength of the side that is stronger, see ``records.strength``.
        asked: Strength at which all predictions together are decided.
        p_value: One-sided, for a number of seeds that was fixed before.
        more_seeds: How many more it would need if mean and spread stayed; 0 if decided.
        above: Seeds that are as claimed on their own, of all: ``4/5``.
        sign_e_value: Strength of that alone, for effects that are skewed.
        failed: Seeds that have no value, and why.
        control_verdict: Of the control, alone; ``none`` if there is no such place.
        difference: Claim less control, paired by seed; empty if they have no unit in
            common.
        difference_e_value: Strength that it is above 0.
        headroom: Largest effect that the metric's ceiling allows; empty if not stated.
        minimum_detectable_effect: Beyond the margin, seen 8 times in 10 with as many
            seeds.
        coverage: Share of the declared cells that have every value.
        conditions: Estimate and interval in each world or size.
        by_rounding: What the same seeds say alone under each rounding of their first
            weights, as on unlike processors; empty if there is only one.
        location: Where a peak is, with the levels that may be the best.
        version: Of the prediction.
        reason: Why it is not decided, or not measured.
        claim: The statement, in a sentence.
        paper: Whose it is.
        place: Where the paper says it.
        experiment: Id of the one whose rows were looked at.
        metric: Id of what was looked at.
        unit: What estimate, interval and margin are counted in, and its range.
        control: What the control has in place of what the claim has, and why the claim
            must fail there; ``none`` and the reason if there is no such place.
        refuted_by: What would refute it.
        margin_reason: Why the margin is as large as it is.
    """

    prediction: str
    theory: str
    standing: str = ""
    form: str = ""
    verdict: Ruling = "not_measured"
    kind: str = ""
    alone: str = "not_measured"
    phase: str = ""
    pilot: str = "not_measured"
    confirmed: str = ""
    estimate: float = math.nan
    ci_low: float = math.nan
    ci_high: float = math.nan
    margin: float = math.nan
    n_seeds: int = 0
    e_value: float = math.nan
    asked: float = math.nan
    p_value: float = math.nan
    more_seeds: float = math.nan
    above: str = ""
    sign_e_value: float = math.nan
    failed: str = ""
    control_verdict: str = "not_measured"
    difference: float = math.nan
    difference_e_value: float = math.nan
    headroom: float = math.nan
    minimum_detectable_effect: float = math.nan
    coverage: float = 0.0
    conditions: str = ""
    by_rounding: str = ""
    location: str = ""
    version: int = 0
    reason: str = ""
    claim: str = ""
    paper: str = ""
    place: str = ""
    experiment: str = ""
    metric: str = ""
    unit: str = ""
    control: str = ""
    refuted_by: str = ""
    margin_reason: str = ""


@dataclass(frozen=True)
class TheoryScore:
    """How one theory fared: verdicts counted, and the skill of its forecast.

    ``confirmed`` of the decided were so on new seeds as they were on the pilot's.

    Shares are of the predictions that were decided (supported or refuted), with
    Wilson intervals; theorem-level claims and extrapolations apart. Forecasts of one
    experiment, ``forecast_of``, can be compared with each other: ``forecast_skill``
    is the mean over worlds, with its interval over seeds; ``forecast_p`` says how often
    chance orders as well; ``forecast_worlds`` has each world apart, and
    ``forecast_coverage`` is the share of the grid that was forecast.
    """

    theory: str
    predictions: int
    supported: int
    refuted: int
    undecided: int
    void: int
    control_open: int
    untestable: int
    not_converged: int
    depends_on_scale: int
    not_measured: int
    confirmed: int
    theorem_score: float
    theorem_low: float
    theorem_high: float
    extrapolation_score: float
    extrapolation_low: float
    extrapolation_high: float
    forecast_of: str
    forecast_skill: float
    forecast_low: float
    forecast_high: float
    forecast_p: float
    forecast_worlds: str
    forecast_coverage: float
