import pytest

from mae_bench.oracles.deep_linear import half_time, plateau_exponent
from mae_bench.theories.deep_linear_dynamics import DEEP_LINEAR_DYNAMICS

PREDICTIONS = DEEP_LINEAR_DYNAMICS.predictions


def flow(factors) -> dict[str, float]:
    """What gradient flow says of a cell."""
    times = [half_time(1.0, rho, **factors) for rho in (0.5, 0.95)]
    depth, objective = factors["depth"], factors["objective"]
    return {
        "rho_bias": times[0] / times[1],
        "lambda_speed": 2.0,
        "exponent": plateau_exponent(depth, objective),
    }


@pytest.fixture
def changed(judged):
    """Verdict if every cell is what the flow says, changed."""

    def verdict(number: str, change=lambda _factors, found: found) -> str:
        return judged(PREDICTIONS, number, lambda _, f: change(f, flow(f)), noise=4.0)

    return verdict


@pytest.mark.parametrize("number", PREDICTIONS)
def test_gradient_flow_supports_every_claim(number: str, changed) -> None:
    assert changed(number) == "supported"


@pytest.mark.parametrize(
    ("number", "target", "size", "verdict"),
    [
        # MAE delayed by rho, at one depth alone.
        ("LW1", "rho_bias", 1.1, "refuted"),
        ("LW1", "rho_bias", 0.9, "refuted"),
        ("LW1-lambda", "lambda_speed", 1.15, "refuted"),
        ("LW4-mae", "exponent", 1.2, "refuted"),
        ("LW4-jepa", "exponent", 0.8, "refuted"),
        ("LW3", "rho_bias", 0.7, "refuted"),
    ],
)
def test_the_deepest_cells_can_refute(
    number: str, target: str, size: float, verdict: str, changed
) -> None:
    def change(factors, found):
        scale = size if factors["depth"] == 3 else 1.0
        return found | {target: scale * found[target]}

    assert changed(number, change) == verdict


def test_a_jepa_that_is_not_delayed_refutes_lw2(changed) -> None:
    assert changed("LW2", lambda _, found: found | {"rho_bias": 1.0}) == "refuted"


def test_a_delay_of_pixels_as_well_leaves_lw2_void(changed) -> None:
    assert changed("LW2", lambda _, found: found | {"rho_bias": 1.3}) == "void"


def test_a_delay_of_one_layer_refutes_lw2_shallow(changed) -> None:
    def change(_, found):
        return found | {"rho_bias": found["rho_bias"] + 0.2}

    assert changed("LW2-shallow", change) == "refuted"


def test_the_forecast_is_the_flows_delay() -> None:
    forecast = DEEP_LINEAR_DYNAMICS.forecast
    assert forecast is not None
    point = {"objective": "jepa", "depth": 3, "init_scale": 0.02}
    assert forecast.score(point) == pytest.approx(flow(point)["rho_bias"])
