"""Each claim is supported by the picture that it draws, and by no other."""

import pandas as pd
import pytest

from mae_bench.records.rows import COLUMNS
from mae_bench.records.schema import TIERS
from mae_bench.theories.locality_bias import LOCALITY_BIAS
from mae_bench.verdicts.judge import judge_prediction

PREDICTIONS = LOCALITY_BIAS.predictions
NOISE = (0.0, 0.001, -0.001, 0.002, -0.002)


def judged(number: str, values: dict[str, float]) -> str:
    """Verdict if the metric is as given by method."""
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
            "target": prediction.where["target"],
            "value": values.get(cell.method, 0.3) + NOISE[cell.seed],
            "status": "ok",
            "cell": cell.key,
        }
        for cell, _ in prediction.experiment.cells(TIERS["smoke"], len(NOISE))
    ]
    found = {prediction.experiment.id: pd.DataFrame(rows)}
    return judge_prediction(number, "locality_bias", prediction, found).verdict


@pytest.mark.parametrize("world", ["", "-digits"])
@pytest.mark.parametrize(
    ("number", "mae", "supervised", "untrained", "verdict"),
    [
        ("D1", 0.5, 0.9, 1.0, "supported"),
        ("D1", 0.85, 0.9, 1.0, "refuted"),
        ("D1", 0.9, 0.5, 1.0, "refuted"),
        ("D1", 0.5, 0.9, 0.5, "void"),
        ("D2", 1.0, 0.3, 0.0, "supported"),
        ("D2", 0.35, 0.3, 0.0, "refuted"),
        ("D2", 0.3, 1.0, 0.0, "refuted"),
        ("D2", 1.0, 0.3, 1.0, "void"),
        ("D3", 0.9, 0.5, 1.0, "supported"),
        ("D3", 0.52, 0.5, 1.0, "refuted"),
        ("D3", 0.5, 0.9, 1.0, "refuted"),
    ],
)
def test_an_mae_is_held_against_a_supervised_encoder(
    world: str,
    number: str,
    mae: float,
    supervised: float,
    untrained: float,
    verdict: str,
) -> None:
    values = {"mae": mae, "supervised": supervised, "random_init": untrained}
    assert judged(number + world, values) == verdict


def test_each_world_is_judged_by_itself() -> None:
    for number, prediction in PREDICTIONS.items():
        digits = number.endswith("-digits")
        assert prediction.where["dataset"] == ("digits" if digits else "gaussian_tree")
