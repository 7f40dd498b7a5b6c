from functools import cache

import pytest

from mae_bench.oracles.masked_likelihood import relative_variance
from mae_bench.theories.masked_likelihood import MASKED_LIKELIHOOD

PREDICTIONS = MASKED_LIKELIHOOD.predictions


known = cache(relative_variance)


def exact(factors):
    return known(9, factors["phi"], factors["masked"], factors["masks"])


@pytest.fixture
def erred(judged):
    """Verdict if every cell has such an error."""

    def verdict(number, error=exact):
        def measured(_, factors):
            found = error(factors)
            return {
                "error": found,
                "gap": found / exact(factors) - 1,
                "gap_efficient": found - 1,
            }

        return judged(PREDICTIONS, number, measured)

    return verdict


@pytest.mark.parametrize("number", PREDICTIONS)
def test_the_information_supports_every_claim(number, erred):
    assert erred(number) == "supported"


@pytest.mark.parametrize("number", ["GM1", "GM1-all", "GM1-exact", "GM-D1"])
def test_masks_that_do_not_matter_refute(number, erred):
    assert erred(number, lambda _: 1.0) == "refuted"


def test_a_likelihood_that_is_not_efficient_refutes_gm2(erred):
    assert erred("GM2", lambda f: 1.4 * exact(f)) == "refuted"


def test_larger_masks_that_are_worse_refute_gm1(erred):
    assert erred("GM1", lambda f: f["masked"]) == "refuted"


def test_a_cost_of_small_masks_without_correlations_leaves_gm1_all_void(erred):
    assert erred("GM1-all", lambda f: 2.0 - f["masked"] / 9) == "void"


def test_the_forecast_is_the_exact_error():
    point = {"masked": 2, "masks": "one", "phi": 0.7}
    assert MASKED_LIKELIHOOD.forecast.score(point) == exact(point)
