"""Each claim is supported by its picture, and refuted by the contrary."""

import pytest

from mae_bench.theories.eigenvector_masking import EIGENVECTOR_MASKING

PREDICTIONS = EIGENVECTOR_MASKING.predictions
PROBE = ("linear_probe", "mean", "")


def probes(gain, slope=0.0, untrained=0.0):
    def found(cell, factors):
        hangs = 0.2 if cell.method == "mae" else slope
        more = gain if factors["stop"] else untrained
        ratio = factors["mask_ratio"] - 0.5
        return {PROBE: 0.7 + more * (cell.method == "pmae") + hangs * ratio}

    return found


@pytest.mark.parametrize("number", PREDICTIONS)
def test_a_pmae_that_is_better_and_steady_supports_every_claim(number, judged):
    assert judged(PREDICTIONS, number, probes(0.1)) == "supported"


@pytest.mark.parametrize("number", ["E1-coarse", "E1-fine"])
def test_a_pmae_that_is_worse_refutes_e1(number, judged):
    assert judged(PREDICTIONS, number, probes(-0.05)) == "refuted"
    assert judged(PREDICTIONS, number, probes(0.1, untrained=0.1)) == "void"


def test_a_pmae_that_hangs_on_its_ratio_refutes_e2(judged):
    assert judged(PREDICTIONS, "E2", probes(0.1, 0.3)) == "refuted"
