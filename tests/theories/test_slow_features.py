"""The closed forms support the claims; encoders that keep all signals refute them."""

import pytest

from mae_bench.theories.slow_features import SLOW_FEATURES

PREDICTIONS = SLOW_FEATURES.predictions
CODE = ("linear_r2", "code")


def keeps(lost):
    """Rows of encoders that keep the signal but where it is lost to the distractor."""

    def found(_, factors):
        gone = lost(factors["objective"], factors["still"], factors["strength"])
        return {
            (*CODE, "level_0"): 0.02 if gone else 0.97,
            (*CODE, "level_1"): 0.97 if gone else 0.02,
        }

    return found


def exact(objective, still, strength):
    return {
        "joint_embedding": still,
        "reconstruction": still and strength == 2,
        "autoencoding": strength == 2,
    }[objective]


@pytest.mark.parametrize("number", PREDICTIONS)
def test_the_closed_forms_support_every_claim(number, judged):
    assert judged(PREDICTIONS, number, keeps(exact)) == "supported"


@pytest.mark.parametrize("number", PREDICTIONS)
def test_encoders_that_lose_nothing_refute(number, judged):
    assert judged(PREDICTIONS, number, keeps(lambda *_: False)) == "refuted"


def test_a_faint_distractor_that_is_left_out_refutes(judged):
    def loud(objective, still, strength):
        return exact(objective, still, strength) and strength == 2

    assert judged(PREDICTIONS, "TV2", keeps(loud)) == "refuted"
    assert judged(PREDICTIONS, "TV2-signal", keeps(loud)) == "refuted"


def test_a_distractor_that_is_learned_whether_or_not_it_moves_is_void(judged):
    assert judged(PREDICTIONS, "TV2", keeps(lambda *_: True)) == "void"
