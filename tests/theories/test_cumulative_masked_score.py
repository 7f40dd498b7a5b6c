"""The exact losses support every claim; sizes that do not matter refute them."""

import pytest

from mae_bench.theories.cumulative_masked_score import CUMULATIVE_MASKED_SCORE

PREDICTIONS = CUMULATIVE_MASKED_SCORE.predictions
LOST = {0: 0.0, 1: 0.02, 3: 0.01, 7: 0.11, 8: 0.37}


def exact(cell, factors):
    wrong = cell.dataset == "gaussian_field"
    found = {"log_likelihood": -11.0, "cumulative": -11.0, "single": -9.0}
    return found | {"lost": LOST[factors["masked"]] * wrong}


@pytest.mark.parametrize("number", PREDICTIONS)
def test_the_exact_numbers_support_every_claim(number, judged):
    assert judged(PREDICTIONS, number, exact) == "supported"


@pytest.mark.parametrize("number", ["G2", "G2-single"])
def test_a_slice_that_loses_nothing_refutes_the_bias(number, judged):
    assert judged(PREDICTIONS, number, lambda *_: {"lost": 0.0}) == "refuted"


@pytest.mark.parametrize("number", ["G2", "G2-single"])
def test_a_slice_that_loses_of_a_chain_as_well_leaves_them_void(number, judged):
    found = judged(PREDICTIONS, number, lambda _, f: {"lost": LOST[f["masked"]]})
    assert found == "void"


def test_a_sum_that_is_not_the_likelihood_refutes_g1(judged):
    def apart(cell, factors):
        return exact(cell, factors) | {"cumulative": -10.5}

    assert judged(PREDICTIONS, "G1", apart) == "refuted"


def test_evidence_that_all_sizes_leave_refutes_g2_all(judged):
    assert judged(PREDICTIONS, "G2-all", lambda *_: {"lost": 0.1}) == "refuted"
