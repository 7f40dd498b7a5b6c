"""Cycles that do not close support the claims; those that do, refute them."""

import pytest

from mae_bench.theories.incompatible_conditionals import INCOMPATIBLE_CONDITIONALS

PREDICTIONS = INCOMPATIBLE_CONDITIONALS.predictions


def around(network, exact=0.0, untrained=0.0):
    def found(_, factors):
        open_by = network if factors["stop"] else untrained
        return {"network": open_by, "exact": exact, "share": open_by / 0.25}

    return found


@pytest.mark.parametrize("number", PREDICTIONS)
def test_open_cycles_support_and_closed_ones_refute(number, judged):
    assert judged(PREDICTIONS, number, around(0.2)) == "supported"
    assert judged(PREDICTIONS, number, around(0.01)) == "refuted"


def test_cycles_that_exact_conditionals_leave_open_as_well_are_void(judged):
    assert judged(PREDICTIONS, "RT1", around(0.2, exact=0.2)) == "void"


def test_cycles_that_no_training_opened_are_void(judged):
    assert judged(PREDICTIONS, "RT1-half", around(0.2, untrained=0.2)) == "void"


def test_one_ratio_that_closes_refutes(judged):
    def found(cell, factors):
        return around(0.2 if factors["mask_ratio"] == 0.5 else 0.0)(cell, factors)

    assert judged(PREDICTIONS, "RT1", found) == "refuted"
