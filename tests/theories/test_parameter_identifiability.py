"""Each claim is supported by what the theorems say, and refuted by its contrary."""

import pytest

from mae_bench.theories.parameter_identifiability import PARAMETER_IDENTIFIABILITY

PREDICTIONS = PARAMETER_IDENTIFIABILITY.predictions


def says(pairs, triples, gaussian, excess=0.0005):
    def found(_, factors):
        error = pairs if factors["tokens"] == 2 else triples
        if factors["emissions"] == "gaussian":
            error = gaussian
        return {"emission": error, "transition": error, "excess": excess}

    return found


@pytest.mark.parametrize("number", PREDICTIONS)
def test_the_theorems_support_every_claim(number, judged):
    assert judged(PREDICTIONS, number, says(0.15, 0.01, 0.03)) == "supported"


@pytest.mark.parametrize(
    ("number", "contrary"),
    [
        ("PI1", says(0.01, 0.01, 0.03)),
        ("PI2", says(0.2, 0.15, 0.03)),
        ("PI2-transition", says(0.2, 0.15, 0.03)),
        ("PI3", says(0.2, 0.01, 0.3)),
        ("PI1-optimum", says(0.2, 0.01, 0.03, 0.05)),
    ],
)
def test_the_contrary_refutes_it(number, contrary, judged):
    assert judged(PREDICTIONS, number, contrary) == "refuted"


def test_triples_that_tell_no_more_leave_pi1_void(judged):
    assert judged(PREDICTIONS, "PI1", says(0.2, 0.2, 0.03)) == "void"
