"""The limits support every claim; other pictures refute them."""

import pytest

from mae_bench.oracles.self_regression import leading_eigenvalue, squared_overlap
from mae_bench.theories.masked_self_regression import MASKED_SELF_REGRESSION

PREDICTIONS = MASKED_SELF_REGRESSION.predictions


def exact(factors):
    spike, gamma = factors["spike"], 144 / factors["samples"]
    even, uneven = squared_overlap(spike, gamma), 0.75 * (spike >= 2)
    loud = factors["noise_ratio"] > 1
    return {
        "regressions": uneven if loud else even,
        "components": 0.1 if loud else even,
        "scaled_components": uneven if loud else even,
        "limit": even,
        "eigenvalue": leading_eigenvalue(spike, gamma, 0.1),
        "eigenvalue_limit": leading_eigenvalue(spike, gamma, 0.1),
        "edge": leading_eigenvalue(0.0, gamma, 0.1),
    }


@pytest.mark.parametrize("number", PREDICTIONS)
def test_the_limits_support_every_claim(number, judged):
    assert judged(PREDICTIONS, number, lambda _, f: exact(f)) == "supported"


@pytest.mark.parametrize("number", PREDICTIONS)
def test_a_matrix_that_finds_nothing_refutes_them(number, judged):
    def blind(_, factors):
        found = exact(factors)
        return found | {"regressions": 0.0, "eigenvalue": found["edge"]}

    assert judged(PREDICTIONS, number, blind) == "refuted"


def test_a_spike_that_few_samples_find_as_well_leaves_x1_void(judged):
    assert judged(PREDICTIONS, "X1", lambda *_: {"regressions": 0.5}) == "void"
