"""What one set of seeds says of a prediction: the word for it, and the reason."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mae_bench.records.rows import Measurements
from mae_bench.records.ruling import Ruling
from mae_bench.records.schema import UsageError
from mae_bench.records.strength import ANYTIME, DECISIVE, Rule
from mae_bench.verdicts.case import Case, case, control_verdict

if TYPE_CHECKING:
    from mae_bench.theories import Prediction


_NO_ROWS = "no rows"


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
    if decision == "supported" and control_verdict(found) == "supported":
        return "void", "its control is supported as well"
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
    """A claim that is supported on its own, and its control is not."""
    control = control_verdict(found)
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
    n, enough = found.claim.n_seeds, found.claim.form.enough
    if n < enough:
        return f"{n} whole seeds; a verdict needs {enough}"
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
    def untried(self) -> bool:
        """Whether its experiment has no row of these seeds."""
        return self.case is None and self.reason == _NO_ROWS

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
    rule: Rule = ANYTIME,
) -> Hearing:
    """Weigh a prediction by the seeds that there are.

    Args:
        prediction: The claim.
        measurements: Experiment id -> its tidy rows.
        rule: How effects are weighed.
    """
    name = prediction.experiment.id
    rows = measurements.get(name)
    if rows is None or rows.empty:
        return Hearing(None, _NO_ROWS)
    try:
        return Hearing(case(prediction, measurements, rule))
    except UsageError as error:
        return Hearing(None, str(error))
