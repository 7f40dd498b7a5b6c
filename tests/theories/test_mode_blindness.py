import math

import pytest

from mae_bench.oracles.mode_blindness import (
    mode_uncertainty,
    schedule_uncertainty,
    uncertainty_bound,
)
from mae_bench.theories.claims.mode_networks import NETWORKS
from mae_bench.theories.mode_blindness import MODE_BLINDNESS

PREDICTIONS = MODE_BLINDNESS.predictions
LAW = (0.6, 0.7)


def left(factors):
    return math.exp(-200 * schedule_uncertainty(64, *LAW, **factors))


def decay(factors):
    m = round((1 - factors["mask_ratio"]) * 64)
    return math.log(mode_uncertainty(m, *LAW) / uncertainty_bound(m, *LAW))


@pytest.fixture
def seen(judged):
    """Verdict if every cell has such an error and such a decay."""

    def verdict(number, error=left, found=decay):
        def measured(_, factors):
            return {
                "error": error(factors),
                "error_exact": left(factors),
                "error_full": math.exp(-200 * 0.21),
                "decay": found(factors),
                "decay_exact": decay(factors),
            }

        return judged(PREDICTIONS, number, measured)

    return verdict


@pytest.mark.parametrize("number", sorted({*PREDICTIONS} - {*NETWORKS}))
def test_the_exact_answers_support_every_claim(number, seen):
    assert seen(number) == "supported"


@pytest.mark.parametrize("number", ["MB1", "MB2", "MB3", "MB3-uniform"])
def test_a_weight_that_any_mask_tells_refutes(number, seen):
    assert seen(number, error=lambda _: 0.0) == "refuted"


def test_another_uncertainty_refutes_the_decay(seen):
    for number in ("MB2-rate", "MB2-exact"):
        assert seen(number, found=lambda f: decay(f) + 1.5) == "refuted"


def test_a_schedule_that_is_always_the_better_leaves_mb3_void(seen):
    assert seen("MB3", error=lambda f: 1.0 - bool(f["full_masks"])) == "void"


def test_the_forecast_is_the_sensitivity():
    point = {"mask_ratio": 0.75, "uniform": False, "full_masks": 0.0}
    forecast = MODE_BLINDNESS.forecast
    assert forecast.score(point) == -mode_uncertainty(16, *LAW)
