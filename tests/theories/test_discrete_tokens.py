"""A probe that follows the tokens' mixing supports every claim."""

import pytest

from mae_bench.theories.discrete_tokens import DISCRETE_TOKENS

PREDICTIONS = DISCRETE_TOKENS.predictions
MIXING = {"mixed": 0.88, "clusters": 0.86, "aligned": 0.71, "classes": 0.0}
PROBE, MIXED = ("linear_probe", "mean", ""), ("token_mixing", "", "mixing")


def follows(slope, untrained=0.0):
    def found(_, factors):
        mixing = MIXING[factors["tokens"]] - 0.05 * (factors["vocabulary"] == 32)
        steep = slope if factors["stop"] else untrained
        return {PROBE: 0.8 - steep * mixing, MIXED: mixing}

    return found


@pytest.mark.parametrize("number", PREDICTIONS)
def test_the_claims_picture_supports_it(number, judged):
    assert judged(PREDICTIONS, number, follows(0.4), noise=0.1) == "supported"


@pytest.mark.parametrize("number", PREDICTIONS)
def test_better_probes_of_mixing_tokens_refute_it(number, judged):
    assert judged(PREDICTIONS, number, follows(-0.4)) == "refuted"


@pytest.mark.parametrize("number", PREDICTIONS)
def test_what_an_untrained_encoder_shows_as_well_is_void(number, judged):
    assert judged(PREDICTIONS, number, follows(0.4, 0.4)) == "void"
