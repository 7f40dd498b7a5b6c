"""Phases of seeds, and the strength that all predictions together ask for."""

from dataclasses import dataclass
from types import SimpleNamespace

import pytest

from mae_bench.predictions import Control
from mae_bench.predictions.trend import Trend
from mae_bench.records.strength import ANYTIME, DECISIVE, FIXED
from mae_bench.verdicts.hearing import Hearing, hear
from mae_bench.verdicts.told import Phases, Told, asked_of, listen


@dataclass(frozen=True)
class Strong(Hearing):
    """Of which all that is known is how strong its case is."""

    strength: float = 1.0


def told(strengths, inferred=True, **hearings):
    """With as strong a case in each phase."""
    form = SimpleNamespace(inferred=inferred)
    cases = {phase: Strong(None, "", s) for phase, s in strengths.items()}
    return Told("t/1", "t", SimpleNamespace(form=form, planted=""), cases | hearings)


def test_all_claims_of_a_phase_are_decided_together() -> None:
    cases = [told({"pilot": s, "confirmatory": 1.0}) for s in (200.0, 100.0, 2.0)]
    assert asked_of(cases) == {"pilot": 3 / (0.05 * 2), "confirmatory": 60.0}
    assert asked_of(cases, FIXED) == {"pilot": DECISIVE, "confirmatory": DECISIVE}


def test_a_claim_whose_experiment_was_not_run_asks_for_nothing() -> None:
    cases = [told({"all": s}) for s in (200.0, 100.0, 2.0)]
    untried = told({}, all=Hearing(None, "no rows"))
    spoilt = told({}, all=Hearing(None, "symmetry mixes tiers full, quick"))
    assert asked_of([*cases, untried]) == asked_of(cases)
    assert asked_of([*cases, spoilt]) == {"all": pytest.approx(40.0)}


def test_a_claim_from_which_nothing_is_inferred_is_not_among_them() -> None:
    cases = [told({"all": 25.0}), told({"all": 1.0}, inferred=False)]
    assert asked_of(cases) == {"all": DECISIVE}


def test_new_seeds_rule_even_before_they_are_run(claims, measured) -> None:
    seen = {"mask_ratio": measured([0.0, 0.1, 0.2, 0.3, 0.4])}
    (one,) = listen(claims, seen, {"t/1": 5})
    assert list(one.hearings) == ["pilot", "confirmatory"]
    assert (one.phase, one.ruling_phase) == ("pilot", "confirmatory")
    assert one.hearings["confirmatory"].untried
    (unregistered,) = listen(claims, seen, {})
    assert unregistered.ruling_phase == unregistered.phase == "all"


def test_what_is_as_before_is_not_heard_again(claims, measured, monkeypatch) -> None:
    seen = {"mask_ratio": measured([0.0, 0.1, 0.2, 0.3, 0.4])}
    before = listen(claims, seen, {})
    heard = []

    def counted(*args):
        heard.append(args)
        return hear(*args)

    monkeypatch.setattr("mae_bench.verdicts.told.hear", counted)
    (same,) = listen(claims, seen, {}, former=before)
    assert same is before[0]
    assert not heard
    listen(claims, seen, {})
    assert len(heard) == 1
    assert heard[0][2] is ANYTIME


@pytest.fixture
def claims(experiment):
    """A theory of one claim."""
    claim = SimpleNamespace(
        form=Trend(0.1, "mask_ratio"),
        experiment=experiment,
        metric=SimpleNamespace(id="mcc"),
        against=None,
        where={"token": "mean"},
        control=Control("none: it holds everywhere"),
        standing="derived",
        version=1,
        each=(),
        size=None,
        ceiling=None,
        converged=False,
        planted="",
    )
    return {"t": SimpleNamespace(predictions={"1": claim})}


def test_of_the_cuts_those_of_one_experiment_are_kept(claims, measured) -> None:
    rows = measured([0.0, 0.1, 0.2, 0.3, 0.4])
    prediction = claims["t"].predictions["1"]
    phases = Phases({"mask_ratio": rows, "other": rows})
    phases.turn_to("mask_ratio")
    pilot, whole = phases.of(prediction, None), phases.all.rows("mask_ratio", ("mcc",))
    phases.turn_to("mask_ratio")
    assert phases.of(prediction, None) is pilot
    phases.turn_to("other")
    assert phases.of(prediction, None) is not pilot
    assert phases.all.rows("mask_ratio", ("mcc",)) is not whole


def test_claims_are_told_in_their_order_whatever_the_experiments(
    claims, measured
) -> None:
    seen = {"mask_ratio": measured([0.0, 0.1, 0.2, 0.3, 0.4])}
    two = {"b": claims["t"], "a": claims["t"]}
    assert [each.key for each in listen(two, seen, {})] == ["b/1", "a/1"]
