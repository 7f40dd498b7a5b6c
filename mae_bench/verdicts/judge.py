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
from mae_bench.records.ruling import TheoryScore, Verdict
from mae_bench.records.stats import wilson
from mae_bench.records.strength import (
    ANYTIME,
    DECISIVE,
    Anytime,
    Rule,
    benjamini_hochberg,
)
from mae_bench.verdicts.case import summary
from mae_bench.verdicts.evidence import in_order
from mae_bench.verdicts.forecast import Skill, forecast_skill
from mae_bench.verdicts.hearing import Hearing, hear
from mae_bench.verdicts.planting import PLANTED
from mae_bench.verdicts.registration import PILOT

if TYPE_CHECKING:
    from mae_bench.theories import Prediction, Theory


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
            standing=(PLANTED if prediction.planted else prediction.standing)
            + uncontrolled,
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
    """Phase -> the strength at which all of its predictions are decided together.

    Planted nulls are held to it and do not set it.
    """
    found: dict[str, list[float]] = {}
    for each in told:
        for phase, hearing in each.hearings.items():
            if each.prediction.form.inferred and not each.prediction.planted:
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
    strict = [v for v in verdicts if v.standing.startswith(("theorem", "derived"))]
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
