import pandas as pd
import pytest

from mae_bench.oracles.deep_linear import half_time, plateau_exponent
from mae_bench.records.rows import COLUMNS
from mae_bench.records.schema import TIERS
from mae_bench.theories.deep_linear_dynamics import DEEP_LINEAR_DYNAMICS
from mae_bench.verdicts.judge import judge_prediction

PREDICTIONS = DEEP_LINEAR_DYNAMICS.predictions
NOISE = (0.0, 0.004, -0.004, 0.008, -0.008)


def flow(factors) -> dict[str, float]:
    """What gradient flow says of a cell."""
    times = [half_time(1.0, rho, **factors) for rho in (0.5, 0.95)]
    depth, objective = factors["depth"], factors["objective"]
    return {
        "rho_bias": times[0] / times[1],
        "lambda_speed": 2.0,
        "exponent": plateau_exponent(depth, objective),
    }


def judged(number: str, change=lambda _factors, found: found) -> str:
    """Verdict if every cell is what the flow says, changed."""
    prediction = PREDICTIONS[number]
    blank: dict[str, object] = dict.fromkeys(COLUMNS, "")
    rows = [
        blank
        | {
            "dataset": cell.dataset,
            "method": cell.method,
            "tier": "smoke",
            "seed": cell.seed,
            "metric": prediction.metric.id,
            "view": "unmasked",
            "target": target,
            "value": value + NOISE[cell.seed],
            "status": "ok",
            "cell": cell.key,
        }
        | factors
        for cell, factors in prediction.experiment.cells(TIERS["smoke"], len(NOISE))
        for target, value in change(factors, flow(factors)).items()
    ]
    found = {prediction.experiment.id: pd.DataFrame(rows)}
    return judge_prediction(number, "t", prediction, found).verdict


@pytest.mark.parametrize("number", PREDICTIONS)
def test_gradient_flow_supports_every_claim(number: str) -> None:
    assert judged(number) == "supported"


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
    number: str, target: str, size: float, verdict: str
) -> None:
    def change(factors, found):
        scale = size if factors["depth"] == 3 else 1.0
        return found | {target: scale * found[target]}

    assert judged(number, change) == verdict


def test_a_jepa_that_is_not_delayed_refutes_lw2() -> None:
    assert judged("LW2", lambda _, found: found | {"rho_bias": 1.0}) == "refuted"


def test_a_delay_of_pixels_as_well_leaves_lw2_void() -> None:
    assert judged("LW2", lambda _, found: found | {"rho_bias": 1.3}) == "void"


def test_a_delay_of_one_layer_refutes_lw2_shallow() -> None:
    def change(_, found):
        return found | {"rho_bias": found["rho_bias"] + 0.2}

    assert judged("LW2-shallow", change) == "refuted"


def test_the_forecast_is_the_flows_delay() -> None:
    forecast = DEEP_LINEAR_DYNAMICS.forecast
    assert forecast is not None
    point = {"objective": "jepa", "depth": 3, "init_scale": 0.02}
    assert forecast.score(point) == pytest.approx(flow(point)["rho_bias"])
