"""Each claim is supported by the picture that it draws, and by no other."""

import pandas as pd
import pytest

from mae_bench.records.rows import COLUMNS
from mae_bench.records.schema import TIERS
from mae_bench.theories.attention_homogeneity import ATTENTION_HOMOGENEITY
from mae_bench.verdicts.judge import judge_prediction

PREDICTIONS = ATTENTION_HOMOGENEITY.predictions
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
    return judge_prediction(number, "attention_homogeneity", prediction, found).verdict


@pytest.mark.parametrize(
    ("number", "mae", "simclr", "untrained", "verdict"),
    [
        ("V1", 0.5, 0.9, 1.0, "supported"),
        ("V1", 0.85, 0.9, 1.0, "refuted"),
        ("V1", 0.9, 0.5, 1.0, "refuted"),
        ("V2-heads", 1.0, 0.2, 0.0, "supported"),
        ("V2-heads", 0.25, 0.2, 0.0, "refuted"),
        ("V2-heads", 0.2, 1.0, 0.0, "refuted"),
        ("V2-heads", 1.0, 0.2, 1.0, "void"),
        ("V2-queries", 0.6, 0.2, 0.1, "supported"),
        ("V2-queries", 0.22, 0.2, 0.1, "refuted"),
        ("V2-queries", 0.2, 0.6, 0.1, "refuted"),
        ("V2-queries", 0.6, 0.2, 0.6, "void"),
    ],
)
def test_an_mae_is_held_against_simclr(
    number: str, mae: float, simclr: float, untrained: float, verdict: str
) -> None:
    values = {"mae": mae, "simclr": simclr, "random_init": untrained}
    assert judged(number, values) == verdict
