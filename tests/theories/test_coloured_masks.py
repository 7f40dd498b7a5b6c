"""A scale that helps supports the claims, one that does not refutes them."""

import pytest

from mae_bench.theories.coloured_masks import COLOURED_MASKS

PREDICTIONS = COLOURED_MASKS.predictions
ROOT, CLASS = ("linear_r2", "mean", "level_0"), ("linear_probe", "mean", "")


def kept(gain, untrained=False):
    def found(_, factors):
        green = factors["mask_family"] == "green"
        value = 0.6 + gain * green * (factors["stop"] or untrained)
        return {ROOT: value, CLASS: value}

    return found


@pytest.mark.parametrize("number", PREDICTIONS)
def test_green_masks_that_help_support_and_that_hurt_refute(number, judged):
    assert judged(PREDICTIONS, number, kept(0.05)) == "supported"
    assert judged(PREDICTIONS, number, kept(-0.05)) == "refuted"
    assert judged(PREDICTIONS, number, kept(0.05, untrained=True)) == "void"
