"""Effects in each condition, and how strongly they speak together."""

import math
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from mae_bench.predictions.bound import Bound
from mae_bench.predictions.contrast import Contrast
from mae_bench.predictions.peak import Peak
from mae_bench.records.strength import ANYTIME, FIXED, of_signs
from mae_bench.verdicts.weigh import weigh

FORM = Contrast(0.1, {"method": "mae"}, {"method": "pixels"})


def rows(**gains):
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        [
            (world, method, seed, gain * (method == "mae") + 0.01 * rng.normal(), "ok")
            for world, gain in gains.items()
            for method in ("mae", "pixels")
            for seed in range(6)
        ],
        columns=["dataset", "method", "seed", "value", "status"],
    )


def claim(*each):
    return SimpleNamespace(form=FORM, each=each)


def test_support_is_that_of_the_weakest_condition_and_refutation_over_their_number():
    found = weigh(claim("dataset"), rows(easy=0.5, hard=0.0))
    easy, hard = found.effects.values()
    assert list(found.effects) == ["easy", "hard"]
    assert found.support == FORM.support(hard, 0.1) < FORM.support(easy, 0.1)
    assert found.refutation == FORM.refute(hard, 0.1) / 2
    assert (found.decided(20.0), found.kind) == ("refuted", "no effect")
    assert found.interval.estimate == pytest.approx(0.0, abs=0.02)
    assert "; hard" in found.conditions


def test_without_conditions_worlds_are_averaged():
    found = weigh(claim(), rows(easy=0.5, hard=0.0))
    assert found.conditions == ""
    assert found.interval.estimate == pytest.approx(0.25, abs=0.02)
    assert found.decided(20.0) == "supported"


def test_more_seeds_are_the_least_that_would_decide():
    found = weigh(claim(), rows(one=0.115))
    assert found.decided(20.0) == "undecided"
    more = found.more_seeds(20.0)
    rules = (type(ANYTIME)(int(6 + n)) for n in (more - 1, more))
    below, enough = (found.supporting(rule) for rule in rules)
    assert below < 20.0 <= enough
    assert weigh(claim(), rows(one=0.5)).more_seeds(20.0) == 0


def few(seeds):
    """Of so many seeds."""
    table = rows(one=0.13)
    return table[table["seed"] < seeds]


@pytest.mark.parametrize(("seeds", "told"), [(1, False), (3, False), (4, True)])
def test_four_seeds_are_the_least_that_say_what_more_would_do(seeds, told):
    found = weigh(claim(), few(seeds))
    assert math.isfinite(found.p_value) is told
    assert math.isfinite(found.more_seeds(20.0)) is told
    assert math.isnan(found.more_seeds(math.inf)), "nothing would be enough"


def test_of_a_bound_nothing_is_inferred():
    bound = Bound(0.1, {"method": "mae"}, {"method": "pixels"})
    found = weigh(SimpleNamespace(form=bound, each=()), few(3))
    assert found.n_seeds == 3
    assert math.isnan(found.p_value)
    assert found.more_seeds(20.0) == 0.0


def test_where_a_factor_is_empty_is_a_condition_as_well():
    found = weigh(claim("mask_ratio"), rows(a=0.5, b=0.0).assign(mask_ratio=math.nan))
    assert list(found.effects) == ["nan"]
    both = pd.concat([few(6).assign(mask_ratio=0.5), few(6).assign(mask_ratio=None)])
    assert list(weigh(claim("mask_ratio"), both).effects) == ["0.5", "nan"]


def test_what_has_no_value_is_not_measured():
    lost = rows(one=0.5).assign(value=np.nan, status="diverged")
    found = weigh(claim(), lost)
    assert (found.decided(20.0), found.n_seeds) == ("not_measured", 0)


def test_at_a_fixed_number_of_seeds_it_is_students_test():
    found = weigh(claim(), rows(one=0.13), FIXED)
    assert found.p_value == pytest.approx(0.5 / found.support)
    assert found.of_signs()[0].endswith("/6")


def test_conditions_are_told_with_their_intervals_and_where_they_have_none():
    both = pd.concat([rows(easy=0.5), rows(none=0.5).query("method == 'mae'")])
    found = weigh(claim("dataset"), both)
    estimate, low, high = FORM.interval(found.effects["easy"])
    assert found.conditions == (
        f"easy {estimate:.3g} ({low:.3g} to {high:.3g}); none nan (nan to nan)"
    )
    assert (found.n_seeds, found.decided(20.0)) == (0, "undecided")


def test_without_effects_neither_side_is_stronger():
    found = weigh(claim(), rows(one=0.5).query("method == 'mae'"))
    assert found.support == found.refutation == found.strength == 1.0
    assert (found.n_seeds, found.of_signs()[0]) == (0, "")
    assert np.isnan(found.interval).all()
    lost = weigh(claim(), rows(one=np.nan))
    assert lost.supporting() == lost.refuting() == 1.0
    assert lost.shown()[0] == ""


def test_a_claim_is_wrong_in_the_way_of_the_condition_that_says_so_most():
    found = weigh(claim("dataset"), rows(low=-0.5, none=0.0, right=0.5))
    refute = [FORM.refute(x, 0.1) for x in found.effects.values()]
    assert max(refute) == refute[0]
    assert found.kind == "reversed"
    assert found.refutation == max(refute) / 3
    assert found.strength == found.refutation


def test_seeds_that_are_as_claimed_are_counted_in_the_hardest_condition():
    found = weigh(claim("dataset"), rows(easy=0.5, hard=0.1))
    hard = found.effects["hard"].iloc[:, 0] > 0.1
    assert found.shown()[0] == "hard"
    assert found.of_signs() == (f"{hard.sum()}/6", of_signs(hard))


def test_a_p_value_over_the_number_of_levels_is_1_at_most():
    hill = pd.DataFrame(
        [(seed, x, -x, "ok") for seed in range(6) for x in range(5)],
        columns=["seed", "x", "value", "status"],
    )
    found = weigh(SimpleNamespace(form=Peak(0.1, "x"), each=()), hill)
    assert found.p_value == 1.0


def test_another_form_can_be_weighed_in_place_of_the_claims_own():
    wider = Contrast(0.9, {"method": "mae"}, {"method": "pixels"})
    assert weigh(claim(), rows(one=0.5), form=wider).decided(20.0) == "refuted"
    assert weigh(claim(), rows(one=0.5)).decided(20.0) == "supported"


def test_the_very_strength_that_is_asked_for_decides():
    found = weigh(claim("dataset"), rows(easy=0.5, other=0.3))
    assert found.decided(found.support) == "supported"
    assert found.decided(math.nextafter(found.support, math.inf)) == "undecided"
    assert found.more_seeds(found.support) == 0.0
    against = weigh(claim(), rows(one=0.0))
    assert against.decided(against.refutation) == "refuted"
