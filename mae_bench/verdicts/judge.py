"""Theories x measurements -> verdicts, and how each theory fared.

What a prediction's rows say is weighed on its own, see ``weigh``; whether it is
decided, all predictions settle together, so that of those that are decided 5 % at most
are on the wrong side. A supported one must be told from its control as well.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from mae_bench.records.rows import Measurements, write_table
from mae_bench.records.ruling import Ruling, TheoryScore, Verdict
from mae_bench.records.schema import UsageError
from mae_bench.records.stats import wilson
from mae_bench.records.strength import (
    ANYTIME,
    DECISIVE,
    Anytime,
    Rule,
    benjamini_hochberg,
)
from mae_bench.verdicts.evidence import in_order
from mae_bench.verdicts.forecast import Skill, forecast_skill
from mae_bench.verdicts.registration import PILOT
from mae_bench.verdicts.weigh import Case, case, control_verdict, summary

if TYPE_CHECKING:
    from mae_bench.theories import Prediction, Theory


def ruling(found: Case, asked: float) -> tuple[Ruling, str]:
    """What is said of a claim, and why.

    Args:
        found: The claim and its control.
        asked: Strength at which it is decided.

    Returns:
        The word, and a reason where it is neither supported nor refuted.
    """
    claim = found.claim
    decision = claim.decided(asked)
    if decision == "not_measured":
        return "not_measured", "no row has a value"
    if found.unconverged:
        return "not_converged", found.unconverged
    if decision == "refuted" and _by_size(found, asked):
        return "depends_on_scale", claim.conditions
    if decision != "supported" and _no_room(found, decision):
        room = f"{found.headroom:.3g} to the ceiling"
        return "untestable", f"{room}, less than the margin and its error"
    if decision == "refuted":
        return "refuted", ""
    if decision == "undecided":
        return "undecided", _lacking(found)
    return _against_control(found)


def _against_control(found: Case) -> tuple[Ruling, str]:
    """A claim that is supported on its own."""
    control = control_verdict(found)
    if control == "supported":
        return "void", "its control is supported as well"
    if control in ("refuted", "none") or found.beyond >= DECISIVE:
        return "supported", ""
    told = "not measured" if control == "not_measured" else "undecided"
    return "control_open", f"its control is {told}"


def _by_size(found: Case, asked: float) -> bool:
    """Whether a refuted claim is supported at another size."""
    if found.prediction.size is None:
        return False
    form, rule = found.claim.form, found.claim.rule
    of = [form.support(x, form.margin, rule) for x in found.claim.effects.values()]
    return max(of, default=1.0) >= asked


def _no_room(found: Case, decision: str) -> bool:
    """Whether the ceiling leaves less than the margin and half an interval."""
    estimate, low, _ = found.claim.interval
    if math.isnan(found.headroom):
        return False
    if decision == "refuted" and found.claim.kind == "reversed":
        return False
    return found.claim.form.margin + (estimate - low) > found.headroom


def _lacking(found: Case) -> str:
    """What keeps a claim from being decided."""
    rows = found.claim.rows
    absent = rows[rows["status"] == "missing"]["cell"].nunique()
    if absent:
        return f"{absent} of {rows['cell'].nunique()} declared cells have no row"
    if found.claim.n_seeds < 4:
        return f"{found.claim.n_seeds} whole seeds; a verdict needs four"
    return ""


@dataclass(frozen=True)
class Hearing:
    """What one set of seeds says of a prediction.

    Args:
        case: The claim and its control; None if its rows cannot be looked at.
        reason: Why not.
    """

    case: Case | None
    reason: str = ""

    @property
    def strength(self) -> float:
        """For the list of all: 1 where nothing is known."""
        return self.case.claim.strength if self.case else 1.0

    def ruling(self, asked: float) -> tuple[Ruling, str]:
        """See ``ruling``."""
        return ruling(self.case, asked) if self.case else ("not_measured", self.reason)


def hear(
    prediction: Prediction,
    measurements: Measurements,
    seeds: Iterable[int] | None = None,
    rule: Rule = ANYTIME,
) -> Hearing:
    """Weigh a prediction by some seeds.

    Args:
        prediction: The claim.
        measurements: Experiment id -> its tidy rows.
        seeds: Those that count; all if None.
        rule: How effects are weighed.
    """
    name = prediction.experiment.id
    rows = measurements.get(name)
    if rows is not None and seeds is not None:
        rows = rows[rows["seed"].isin(set(seeds))]
    if rows is None or rows.empty:
        return Hearing(None, "no rows")
    try:
        return Hearing(case(prediction, {**measurements, name: rows}, rule))
    except UsageError as error:
        return Hearing(None, str(error))


def judge_prediction(
    key: str, theory_id: str, prediction: Prediction, measurements: Measurements
) -> Verdict:
    """What all seeds say of one prediction, as if there were no other.

    Args:
        key: Its id, e.g. ``hierarchical_latents/K4``.
        theory_id: Whose it is.
        prediction: The claim.
        measurements: Experiment id -> its tidy rows.

    Raises:
        ValueError: The claim names an unknown column.
    """
    measurements = {name: in_order(rows) for name, rows in measurements.items()}
    told = _Told(key, theory_id, prediction, {"all": hear(prediction, measurements)})
    return told.verdict({"all": DECISIVE})


@dataclass(frozen=True)
class _Told:
    """What each phase's seeds say of a prediction."""

    key: str
    theory: str
    prediction: Prediction
    hearings: Mapping[str, Hearing]

    @property
    def phase(self) -> str:
        """New seeds rule; where there are none, the pilot's."""
        return next(
            (p for p in ("confirmatory", "pilot") if self._measured(p)),
            next(iter(self.hearings)),
        )

    def _measured(self, phase: str) -> bool:
        hearing = self.hearings.get(phase)
        return bool(hearing and hearing.case and hearing.case.claim.measured)

    def verdict(self, asked: Mapping[str, float]) -> Verdict:
        """With the strength that each phase asks for."""
        phase, prediction = self.phase, self.prediction
        hearing, found = self.hearings[phase], self.hearings[phase].case
        word, reason = hearing.ruling(asked[phase])
        pilot = "not_measured"
        if "pilot" in self.hearings:
            pilot = self.hearings["pilot"].ruling(asked["pilot"])[0]
        uncontrolled = ", no control" if prediction.control.absent else ""
        claim = found.claim if found else None
        return Verdict(
            prediction=self.key,
            theory=self.theory,
            standing=prediction.standing + uncontrolled,
            verdict=word,
            kind=claim.kind if claim and word == "refuted" else "",
            alone=claim.decided(DECISIVE) if claim else "not_measured",
            phase=phase,
            pilot=pilot,
            confirmed=_confirmed(pilot, word) if phase == "confirmatory" else "",
            asked=asked[phase],
            more_seeds=claim.more_seeds(asked[phase]) if claim else math.nan,
            version=prediction.version,
            reason=reason,
            **(summary(found) if found else {}),  # type: ignore[arg-type]
        )


def _confirmed(pilot: str, verdict: str) -> str:
    """Whether new seeds say what a decided pilot said; empty if they do not tell."""
    told = ("supported", "refuted")
    if pilot not in told or verdict not in told:
        return ""
    return "yes" if pilot == verdict else "no"


def _hearings(
    prediction: Prediction,
    measurements: Measurements,
    first_seed: int | None,
    rule: Rule,
) -> dict[str, Hearing]:
    """Phase -> what its seeds say."""
    if first_seed is None:
        return {"all": hear(prediction, measurements, None, rule)}
    rows = measurements.get(prediction.experiment.id)
    known = [] if rows is None else map(int, rows["seed"].unique())
    seeds = [seed for seed in known if seed >= first_seed]
    return {
        "pilot": hear(prediction, measurements, PILOT, rule),
        "confirmatory": hear(prediction, measurements, seeds, rule),
    }


def _asked(told: Iterable[_Told], rule: Rule) -> dict[str, float]:
    """Phase -> the strength at which all of its predictions are decided together."""
    found: dict[str, list[float]] = {}
    for each in told:
        for phase, hearing in each.hearings.items():
            if each.prediction.form.inferred:
                found.setdefault(phase, []).append(hearing.strength)
            found.setdefault(phase, [])
    if not isinstance(rule, Anytime):
        return dict.fromkeys(found, DECISIVE)
    return {
        phase: max(DECISIVE, benjamini_hochberg(strengths)[1])
        for phase, strengths in found.items()
    }


def _share(verdicts: Iterable[Verdict]) -> tuple[float, float, float]:
    """Share of the decided that were supported, with its interval."""
    counts = Counter(v.verdict for v in verdicts)
    return wilson(counts["supported"], counts["supported"] + counts["refuted"])


def _theory_score(
    name: str, theory: Theory, verdicts: list[Verdict], measurements: Measurements
) -> TheoryScore:
    """Count; what is derived from a theorem counts with the theorems."""
    counts = Counter(v.verdict for v in verdicts)
    skill, grid = Skill(), ""
    if theory.forecast is not None:
        skill = forecast_skill(theory.forecast, measurements)
        grid = theory.forecast.experiment.id
    loose = [v for v in verdicts if v.standing.startswith("extrapolation")]
    strict = [v for v in verdicts if not v.standing.startswith("extrapolation")]
    return TheoryScore(
        name,
        len(verdicts),
        counts["supported"],
        counts["refuted"],
        counts["undecided"],
        counts["void"],
        counts["control_open"],
        counts["untestable"],
        counts["not_converged"],
        counts["depends_on_scale"],
        counts["not_measured"],
        sum(v.confirmed == "yes" for v in verdicts),
        *_share(strict),
        *_share(loose),
        grid,
        skill.skill,
        skill.low,
        skill.high,
        skill.p_value,
        skill.worlds,
        skill.coverage,
    )


def _frame(
    records: Iterable[Verdict | TheoryScore], kind: type[Verdict | TheoryScore]
) -> pd.DataFrame:
    columns = [field.name for field in fields(kind)]
    frame = pd.DataFrame([vars(record) for record in records], columns=columns)
    return frame.sort_values(columns[0], ignore_index=True)


def judge(
    theories: Mapping[str, Theory],
    measurements: Measurements,
    first_seeds: Mapping[str, int] | None = None,
    rule: Rule = ANYTIME,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Judge every prediction of every theory.

    Args:
        theories: By id.
        measurements: Experiment id -> its tidy rows.
        first_seeds: Registered prediction -> its first confirmatory seed; of the
            others all seeds count.
        rule: How effects are weighed: whenever one looks, or at a fixed number.

    Returns:
        Verdicts, one a prediction; and scores, one a theory. Both sorted by id.

    Raises:
        ValueError: A claim names an unknown column.
    """
    first = first_seeds or {}
    measurements = {name: in_order(rows) for name, rows in measurements.items()}
    told = [
        _Told(
            key,
            name,
            prediction,
            _hearings(prediction, measurements, first.get(key), rule),
        )
        for name, theory in theories.items()
        for number, prediction in theory.predictions.items()
        for key in [f"{name}/{number}"]
    ]
    asked = _asked(told, rule)
    verdicts = [each.verdict(asked) for each in told]
    verdicts += [
        Verdict(prediction=f"{name}/{number}", theory=name, reason=reason)
        for name, theory in theories.items()
        for number, reason in theory.unmeasured.items()
    ]
    scores = [
        _theory_score(
            name, theory, [v for v in verdicts if v.theory == name], measurements
        )
        for name, theory in theories.items()
    ]
    return _frame(verdicts, Verdict), _frame(scores, TheoryScore)


def write(verdicts: pd.DataFrame, theories: pd.DataFrame, folder: Path) -> None:
    """Write ``verdicts.csv`` and ``theories.csv``.

    Raises:
        StoreError: The disk does not take it; each file is whole, old or new.
    """
    write_table(verdicts, folder / "verdicts.csv")
    write_table(theories, folder / "theories.csv")
