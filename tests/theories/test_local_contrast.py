"""Each claim is supported by the picture that it draws, and by no other."""

import pandas as pd
import pytest

from mae_bench.records.rows import COLUMNS
from mae_bench.records.schema import TIERS
from mae_bench.theories.local_contrast import LOCAL_CONTRAST
from mae_bench.verdicts.judge import judge_prediction

PREDICTIONS = LOCAL_CONTRAST.predictions
NOISE = (0.0, 0.001, -0.001, 0.002, -0.002)


def judged(number: str, values: dict[object, float], by: str) -> str:
    """Verdict if the metric is as given by a factor, or by target."""
    prediction = PREDICTIONS[number]
    named = prediction.where["target"]
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
            "value": values[target if by == "target" else factors[by]]
            + NOISE[cell.seed],
            "status": "ok",
            "cell": cell.key,
        }
        | factors
        for cell, factors in prediction.experiment.cells(TIERS["smoke"], len(NOISE))
        for target in (named if isinstance(named, tuple) else (named,))
    ]
    found = {prediction.experiment.id: pd.DataFrame(rows)}
    return judge_prediction(number, "local_contrast", prediction, found).verdict


@pytest.mark.parametrize("number", ["Y1", "Y1-influence"])
@pytest.mark.parametrize(
    ("trained", "untrained", "verdict"),
    [(0.5, 1.0, "supported"), (0.9, 1.0, "refuted"), (0.5, 0.5, "void")],
)
def test_y1_wants_a_near_decoder_that_was_not_near_from_the_start(
    number: str, trained: float, untrained: float, verdict: str
) -> None:
    stops = PREDICTIONS[number].experiment.factors["stop"]
    reach = dict.fromkeys(stops, 0.8) | {0.0: untrained, 1.0: trained}
    assert judged(number, {**reach}, "stop") == verdict


@pytest.mark.parametrize("number", ["Y2", "Y2-influence"])
@pytest.mark.parametrize(
    ("step", "verdict"), [(0.2, "supported"), (0.01, "refuted"), (-0.2, "refuted")]
)
def test_y2_wants_a_distance_that_rises_with_the_ratio(
    number: str, step: float, verdict: str
) -> None:
    ratios = PREDICTIONS[number].experiment.factors["mask_ratio"]
    distance = {ratio: 4 + step * i for i, ratio in enumerate(ratios)}
    assert judged(number, {**distance}, "mask_ratio") == verdict


@pytest.mark.parametrize(
    ("step", "verdict"), [(-0.05, "supported"), (0.0, "refuted"), (0.05, "refuted")]
)
def test_y3_wants_attention_that_looks_at_the_image_later(
    step: float, verdict: str
) -> None:
    layers = PREDICTIONS["Y3"].where["target"]
    alike = {layer: 0.9 + step * i for i, layer in enumerate(layers)}
    assert judged("Y3", {**alike}, "target") == verdict
