"""Each factor's effect supports its own claim, and the contrary refutes it."""

import pytest

from mae_bench.theories.corruption_and_prediction import CORRUPTION_AND_PREDICTION

PREDICTIONS = CORRUPTION_AND_PREDICTION.predictions
PROBE = ("linear_probe", "mean", "")


def probes(hidden=0.0, told=0.0, untrained=False):
    def found(_, factors):
        learned = factors["stop"] or untrained
        effect = hidden * factors["mask_ratio"] + told * factors["prediction_ratio"]
        return {PROBE: 0.7 + effect * learned}

    return found


def test_corruption_that_hurts_and_predictions_that_help_support_both(judged):
    for number in PREDICTIONS:
        assert judged(PREDICTIONS, number, probes(-0.2, 0.2)) == "supported"


@pytest.mark.parametrize(
    ("number", "contrary"), [("WE1", probes(0.2)), ("WE2", probes(0.0, -0.2))]
)
def test_the_contrary_refutes(number, contrary, judged):
    assert judged(PREDICTIONS, number, contrary) == "refuted"


def test_what_initial_weights_show_as_well_is_void(judged):
    for number in PREDICTIONS:
        found = judged(PREDICTIONS, number, probes(-0.2, 0.2, untrained=True))
        assert found == "void"
