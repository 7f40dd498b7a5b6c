import pytest

from mae_bench.theories.log_posterior_features import LOG_POSTERIOR_FEATURES

PREDICTIONS = LOG_POSTERIOR_FEATURES.predictions
READ = ("logits", "mean", "exact")


@pytest.fixture
def seen(judged):
    """Verdict if the log posterior is the more linear where little is in doubt."""

    def verdict(number, known=0.05, doubtful=-0.05, told=0.95, untrained=0.0):
        def measured(_, factors):
            gain = known if factors["mask_ratio"] == 0.5 else doubtful
            gain = gain if factors["stop"] else untrained
            linear = told if factors["stop"] else 0.5
            gains = {f"gain/{name}": gain for name in READ}
            return gains | {"log/logits": linear}

        return judged(PREDICTIONS, number, measured)

    return verdict


@pytest.mark.parametrize("number", PREDICTIONS)
def test_the_theory_is_supported_where_it_holds(number, seen):
    assert seen(number) == "supported"


@pytest.mark.parametrize("number", ["IP1", "IP1-encoder", "IP1-exact"])
def test_a_posterior_that_is_as_linear_refutes(number, seen):
    assert seen(number, known=0.0) == "refuted"
    # If it is so where concepts are mixed as well, or nothing is learned, the reason
    # is another one.
    elsewhere = {"doubtful" if number == "IP1-exact" else "untrained": 0.06}
    assert seen(number, **elsewhere) == "void"


def test_features_that_tell_half_refute_and_those_of_mixtures_too(seen):
    assert seen("IP1-linear", told=0.8) == "refuted"
    assert seen("IP-D1", doubtful=0.0) == "refuted"
