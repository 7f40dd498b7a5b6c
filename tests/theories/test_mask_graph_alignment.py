import pandas as pd
import pytest

from mae_bench.judge import experiment_id, judge_prediction
from mae_bench.rows import COLUMNS
from mae_bench.schema import TIERS, Settings
from mae_bench.theories.mask_graph_alignment import MASK_GRAPH_ALIGNMENT

PREDICTIONS = MASK_GRAPH_ALIGNMENT.predictions
NOISE = (0.0, 0.001, -0.001, 0.002, -0.002)
WEIGHTS = (0.0, 0.001, 0.01, 0.1, 1.0)
WORLDS = pytest.mark.parametrize("world", ["gaussian_tree", "digits"])


def name_of(number: str, world: str) -> str:
    return number if world == "gaussian_tree" else f"{number}-{world}"


def judged(number: str, world: str, values: dict[object, float], target: str) -> str:
    """Verdict if the metric is as given by lambda or by method, in one world alone."""
    prediction = PREDICTIONS[name_of(number, world)]
    blank: dict[str, object] = dict.fromkeys(COLUMNS, "")

    def value(method: str, factors: Settings) -> float:
        return values.get(factors.get("lamb", method), 0.9)

    rows = [
        blank
        | {
            "dataset": cell.dataset,
            "method": cell.method,
            "tier": "smoke",
            "seed": cell.seed,
            "metric": prediction.metric.id,
            "view": "unmasked",
            "token": "mean",
            "target": target,
            "value": value(cell.method, factors) + NOISE[cell.seed],
            "status": "ok",
            "cell": cell.key,
        }
        | factors
        for cell, factors in prediction.experiment.cells(TIERS["smoke"], len(NOISE))
        if cell.dataset == world
    ]
    found = {experiment_id(prediction.experiment): pd.DataFrame(rows)}
    return judge_prediction(name_of(number, world), "t", prediction, found).verdict


@WORLDS
@pytest.mark.parametrize(
    ("trained", "untrained", "verdict"),
    [
        (0.2, 0.9, "supported"),
        (0.7, 0.9, "refuted"),
        (0.45, 0.9, "refuted"),
        (0.2, 0.2, "void"),
    ],
)
def test_a_low_rank_supports_z4_unless_the_untrained_encoder_has_it_too(
    world: str, trained: float, untrained: float, verdict: str
) -> None:
    ranks: dict[object, float] = {"mae": trained, "random_init": untrained}
    assert judged("Z4", world, ranks, "centred_share") == verdict


@pytest.mark.parametrize(
    ("ranks", "verdict"),
    [
        ((10.0, 11.0, 12.0, 13.0, 14.0), "supported"),
        ((10.0, 10.1, 10.2, 10.3, 10.4), "refuted"),
        ((14.0, 13.0, 12.0, 11.0, 10.0), "refuted"),
    ],
)
def test_a_rank_that_rises_with_lambda_supports_z5(
    ranks: tuple[float, ...], verdict: str
) -> None:
    found = dict(zip(WEIGHTS, ranks, strict=True))
    assert judged("Z5", "gaussian_tree", {**found}, "centred") == verdict


@WORLDS
@pytest.mark.parametrize(
    ("gain", "verdict"), [(0.03, "supported"), (0.005, "refuted"), (-0.03, "refuted")]
)
def test_z6_wants_a_point_of_accuracy_from_the_published_weight(
    world: str, gain: float, verdict: str
) -> None:
    # In the sweep a weight of 0.01 against 0, on digits u_mae against mae.
    plain: dict[object, float] = {**dict.fromkeys(WEIGHTS, 0.6), "mae": 0.6}
    accuracy = plain | {0.01: 0.6 + gain, "u_mae": 0.6 + gain}
    assert judged("Z6", world, accuracy, "") == verdict
