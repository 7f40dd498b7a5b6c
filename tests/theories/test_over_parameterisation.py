import pytest

from mae_bench.oracles.masked_regression import excess_risk
from mae_bench.records.schema import Cell, Settings
from mae_bench.theories.over_parameterisation import OVER_PARAMETERISATION

PREDICTIONS = OVER_PARAMETERISATION.predictions
NOISE = (0.0, 0.001, -0.0015, 0.002, -0.0022, 0.0012, -0.0005)


def limit(factors, mask_ratio=None) -> float:
    ratio = factors["mask_ratio"] if mask_ratio is None else mask_ratio
    covariates = factors["image_size"] ** 2 - 1
    return excess_risk(ratio, covariates, 100, spike=factors["spike"], noise=0.5)


@pytest.fixture
def risked(judged):
    """Verdict if the risk of every cell is as given."""

    def verdict(number: str, risk=limit) -> str:
        def measured(cell: Cell, factors: Settings) -> dict[str, float]:
            value = risk(factors) + NOISE[cell.seed]
            return {
                "risk": value,
                "gap": value / limit(factors) - 1,
                "gap_unmasked": value / limit(factors, 0.0) - 1,
            }

        return judged(PREDICTIONS, number, measured, noise=0.0)

    return verdict


@pytest.mark.parametrize("number", PREDICTIONS)
def test_the_limit_supports_every_claim(number: str, risked) -> None:
    assert risked(number) == "supported"


@pytest.mark.parametrize("number", ["M1", "M3", "M2", "M3-size", "M1-limit"])
def test_a_risk_that_masks_do_not_touch_refutes_every_claim(
    number: str, risked
) -> None:
    assert risked(number, lambda factors: limit(factors, 0.0)) == "refuted"


@pytest.mark.parametrize("number", ["M1", "M3"])
def test_an_interior_optimum_of_the_small_model_refutes(number: str, risked) -> None:
    def risk(factors):
        return limit(factors) - (0.2 if factors["mask_ratio"] == 0.15 else 0.0)

    assert risked(number, risk) == "refuted"


def test_an_interior_optimum_without_a_spike_leaves_m2_void(risked) -> None:
    assert risked("M2", lambda f: 1 + (f["mask_ratio"] - 0.3) ** 2) == "void"


def test_a_best_ratio_that_all_sizes_share_leaves_m3_size_void(risked) -> None:
    assert risked("M3-size", lambda f: 1 + (f["mask_ratio"] - 0.3) ** 2) == "void"


def test_one_point_off_the_limit_refutes_m1_limit(risked) -> None:
    def risk(factors):
        off = factors["image_size"] == 20 and factors["mask_ratio"] == 0.45
        return limit(factors) * (1.3 if off else 1.0)

    assert risked("M1-limit", risk) == "refuted"


def test_the_forecast_is_the_limit() -> None:
    forecast = OVER_PARAMETERISATION.forecast
    assert forecast is not None
    point = {"image_size": 20, "spike": 20.0, "mask_ratio": 0.3}
    assert forecast.score(point) == limit(point)
