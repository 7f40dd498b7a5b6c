"""What each phase's seeds say of every prediction, and what all together ask for."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mae_bench.records.rows import Measurements
from mae_bench.records.ruling import Ruling, Verdict
from mae_bench.records.strength import (
    ANYTIME,
    DECISIVE,
    Anytime,
    Rule,
    benjamini_hochberg,
)
from mae_bench.verdicts.case import summary
from mae_bench.verdicts.cuts import Cuts
from mae_bench.verdicts.hearing import Hearing, hear
from mae_bench.verdicts.planting import PLANTED
from mae_bench.verdicts.registration import PILOT
from mae_bench.verdicts.wording import wording

if TYPE_CHECKING:
    from mae_bench.theories import Prediction, Theory


@dataclass(frozen=True)
class Told:
    """What each phase's seeds say of a prediction.

    Args:
        key: Its id, e.g. ``hierarchical_latents/K4``.
        theory: Whose it is.
        prediction: The claim.
        hearings: Phase -> what its seeds say; the last are those that rule.
    """

    key: str
    theory: str
    prediction: Prediction
    hearings: Mapping[str, Hearing]

    @property
    def ruling_phase(self) -> str:
        """The one whose seeds rule, whether or not any was run."""
        return next(reversed(list(self.hearings)))

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

    def ruling(self, asked: Mapping[str, float]) -> tuple[Ruling, str]:
        """The word of the seeds that rule, and a reason; see ``hearing.ruling``."""
        phase = self.ruling_phase
        return self.hearings[phase].ruling(asked[phase])

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
            **wording(prediction) | (summary(found) if found else {}),  # type: ignore[arg-type]
        )


def _confirmed(pilot: str, verdict: str) -> str:
    """Whether new seeds say what a decided pilot said; empty if they do not tell."""
    told = ("supported", "refuted")
    if pilot not in told or verdict not in told:
        return ""
    return "yes" if pilot == verdict else "no"


def listen(
    theories: Mapping[str, Theory],
    measurements: Measurements,
    first_seeds: Mapping[str, int],
    rule: Rule = ANYTIME,
    former: Iterable[Told] = (),
) -> list[Told]:
    """Hear every prediction of every theory.

    Args:
        theories: By id.
        measurements: Experiment id -> its rows, in order; see ``evidence.in_order``.
        first_seeds: Registered prediction -> its first confirmatory seed; of the
            others all seeds count.
        rule: How effects are weighed.
        former: Those whose rows are the same as before, which are not heard again.
    """
    known = {told.key: told for told in former}
    claims = [
        (f"{name}/{number}", name, prediction)
        for name, theory in theories.items()
        for number, prediction in theory.predictions.items()
    ]
    phases, found = Phases(measurements), dict[str, Told]()
    # An experiment at a time, for the cuts of one are all that is kept.
    for key, name, prediction in sorted(claims, key=lambda at: at[2].experiment.id):
        phases.turn_to(prediction.experiment.id)
        found[key] = known.get(key) or Told(
            key,
            name,
            prediction,
            _hearings(prediction, phases, first_seeds.get(key), rule),
        )
    return [found[key] for key, *_ in claims]


class Phases:
    """Rows of the pilot, and of the seeds from one on, each cut out once."""

    def __init__(self, measurements: Measurements) -> None:
        """Keep the rows of all seeds."""
        self.all = Cuts.of(measurements)
        self._cut: dict[tuple[object, ...], Cuts] = {}
        self._experiment = ""

    def turn_to(self, experiment: str) -> None:
        """Forget what was cut of another one."""
        if experiment != self._experiment:
            self._cut.clear()
            self.all.forget()
            self._experiment = experiment

    def of(self, prediction: Prediction, first_seed: int | None) -> Cuts:
        """All rows, but of the prediction's experiment only those that it looks at.

        Args:
            prediction: Its metrics count, and some seeds.
            first_seed: From which on; of None the pilot's.
        """
        name = prediction.experiment.id
        if name not in self.all:
            return self.all
        looked_at = (prediction.metric, prediction.against)
        metrics = {metric.id for metric in looked_at if metric}
        at = name, first_seed, *sorted(metrics)
        if at not in self._cut:
            rows = self.all[name]
            pilot = rows["seed"].isin(PILOT)
            new = pilot if first_seed is None else rows["seed"] >= first_seed
            # What failed as a whole is any metric's.
            seen = rows["metric"].isin({*metrics, "convergence", ""})
            cut = rows[new & seen] if (new & seen).any() else rows[new]
            self._cut[at] = self.all.but(name, cut)
        return self._cut[at]


def _hearings(
    prediction: Prediction, phases: Phases, first_seed: int | None, rule: Rule
) -> dict[str, Hearing]:
    """Phase -> what its seeds say."""
    if first_seed is None:
        return {"all": hear(prediction, phases.all, rule)}
    return {
        "pilot": hear(prediction, phases.of(prediction, None), rule),
        "confirmatory": hear(prediction, phases.of(prediction, first_seed), rule),
    }


def _counts(prediction: Prediction) -> bool:
    return prediction.form.inferred and not prediction.planted


def asked_of(told: Iterable[Told], rule: Rule = ANYTIME) -> dict[str, float]:
    """Phase -> the strength at which all of its predictions are decided together.

    All are those whose experiment was run in that phase, whether or not their own rows
    have a value: which experiments are run must be chosen without a look at the rows.
    Planted nulls are held to it and do not set it.
    """
    found: dict[str, list[float]] = {}
    for each in told:
        for phase, hearing in each.hearings.items():
            strengths = found.setdefault(phase, [])
            if _counts(each.prediction) and not hearing.untried:
                strengths.append(hearing.strength)
    if not isinstance(rule, Anytime):
        return dict.fromkeys(found, DECISIVE)
    return {
        phase: max(DECISIVE, benjamini_hochberg(strengths)[1])
        for phase, strengths in found.items()
    }
