"""Each claim is supported by the picture that it draws, and by no other."""

import pandas as pd
import pytest

from mae_bench.records.rows import COLUMNS
from mae_bench.records.schema import TIERS
from mae_bench.theories.class_subspaces import CLASS_SUBSPACES
from mae_bench.verdicts.judge import judge_prediction

PREDICTIONS = CLASS_SUBSPACES.predictions
NOISE = (0.0, 0.001, -0.001, 0.002, -0.002)


def judged(number: str, first: dict[str, float], mean: dict[str, float]) -> str:
    """Verdict if the reach of the first layer, and the mean, are as given by method."""
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
            "value": values.get(cell.method, 0.3) + NOISE[cell.seed],
            "status": "ok",
            "cell": cell.key,
        }
        for cell, _ in prediction.experiment.cells(TIERS["smoke"], len(NOISE))
        for target, values in (("encoder/0/reach", first), ("encoder/reach", mean))
    ]
    found = {prediction.experiment.id: pd.DataFrame(rows)}
    return judge_prediction(number, "class_subspaces", prediction, found).verdict


@pytest.mark.parametrize(
    ("mae", "supervised", "verdict"),
    [(0.9, 0.5, "supported"), (0.55, 0.5, "refuted"), (0.5, 0.9, "refuted")],
)
def test_the_first_layers_are_compared_and_not_the_means(
    mae: float, supervised: float, verdict: str
) -> None:
    first = {"mae": mae, "supervised": supervised}
    against = {"mae": supervised, "supervised": mae}
    assert judged("S2-early", first, against) == verdict


@pytest.mark.parametrize(
    ("mae", "supervised", "verdict"),
    [
        (0.9, 0.9, "supported"),
        (0.85, 0.9, "supported"),
        (0.5, 0.9, "refuted"),
        (1.3, 0.9, "refuted"),
        (0.9, 0.5, "void"),
    ],
)
def test_an_mae_keeps_the_reach_of_its_first_layer_and_a_supervised_one_does_not(
    mae: float, supervised: float, verdict: str
) -> None:
    first = {"mae": 0.9, "supervised": 0.5}
    mean = {"mae": mae, "supervised": supervised}
    assert judged("S2-persistent", first, mean) == verdict
