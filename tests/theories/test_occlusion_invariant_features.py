"""Each claim is supported by the picture that it draws, and by no other."""

import pandas as pd
import pytest

from mae_bench.records.rows import COLUMNS
from mae_bench.records.schema import TIERS, Setting, Settings
from mae_bench.theories.occlusion_invariant_features import OCCLUSION_INVARIANT_FEATURES
from mae_bench.verdicts.judge import judge_prediction

PREDICTIONS = OCCLUSION_INVARIANT_FEATURES.predictions
NOISE = (0.0, 0.001, -0.001, 0.002, -0.002)


def judged(number: str, values: dict[Setting, float], by: str) -> str:
    """Verdict if the metric is as given by a factor, or by method."""
    prediction = PREDICTIONS[number]
    where = prediction.where
    blank: dict[str, object] = dict.fromkeys(COLUMNS, "")

    def value(method: str, factors: Settings) -> float:
        return values.get(method if by == "method" else factors[by], 0.3)

    rows = [
        blank
        | {
            "dataset": cell.dataset,
            "method": cell.method,
            "tier": "smoke",
            "seed": cell.seed,
            "metric": prediction.metric.id,
            "view": "unmasked",
            "token": where.get("token", ""),
            "target": where.get("target", ""),
            "value": value(cell.method, factors) + NOISE[cell.seed],
            "status": "ok",
            "cell": cell.key,
        }
        | factors
        for cell, factors in prediction.experiment.cells(TIERS["smoke"], len(NOISE))
    ]
    found = {prediction.experiment.id: pd.DataFrame(rows)}
    return judge_prediction(
        number, "occlusion_invariant_features", prediction, found
    ).verdict


@pytest.mark.parametrize(
    ("step", "verdict"), [(0.1, "supported"), (0.0, "refuted"), (-0.1, "refuted")]
)
def test_o2_wants_an_invariance_that_rises_in_training(
    step: float, verdict: str
) -> None:
    stops = PREDICTIONS["O2"].experiment.factors["stop"]
    alike: dict[Setting, float] = {s: 0.5 + step * i for i, s in enumerate(stops)}
    assert judged("O2", alike, "stop") == verdict


def test_o2_counts_from_the_initial_weights_on() -> None:
    stops = PREDICTIONS["O2"].experiment.factors["stop"]
    risen_at_once: dict[Setting, float] = dict.fromkeys(stops, 0.9) | {0.0: 0.5}
    assert judged("O2", risen_at_once, "stop") == "supported"


@pytest.mark.parametrize(
    ("mae", "simclr", "verdict"),
    [(0.8, 0.9, "supported"), (0.89, 0.9, "refuted"), (0.9, 0.8, "refuted")],
)
def test_o3_wants_a_probe_below_that_of_simclr(
    mae: float, simclr: float, verdict: str
) -> None:
    assert judged("O3", {"mae": mae, "simclr": simclr}, "method") == verdict


@pytest.mark.parametrize("number", ["O1", "O1-digits"])
@pytest.mark.parametrize(
    ("contrast", "untrained", "verdict"),
    [
        (0.9, 0.5, "supported"),
        (0.8, 0.5, "refuted"),
        (0.95, 0.5, "refuted"),
        (0.9, 0.9, "void"),
    ],
)
def test_o1_wants_contrast_of_masked_views_to_be_as_good_as_their_reconstruction(
    number: str, contrast: float, untrained: float, verdict: str
) -> None:
    values: dict[Setting, float] = {"mae": 0.9, "random_init": untrained}
    values["mask_contrastive"] = contrast
    assert judged(number, values, "method") == verdict
