import pandas as pd
import pytest

from mae_bench.records.rows import COLUMNS
from mae_bench.records.schema import TIERS
from mae_bench.theories.attention_diversity import ATTENTION_DIVERSITY
from mae_bench.verdicts.judge import judge_prediction

PREDICTIONS = ATTENTION_DIVERSITY.predictions
NOISE = (0.0, 0.01, -0.01, 0.02, -0.02)
VARIANTS = ("global", "local", "local_to_global", "diversity")
UNTRAINED = 0.3


def layers(method, depth):
    return ["encoder"] * (depth == 1) + ["decoder"] * (method == "mae")


def judged(number, value):
    """Verdict if trained attention is as ``value`` of layer, method, variant, rows."""
    prediction = PREDICTIONS[number]
    blank = dict.fromkeys(COLUMNS, "")
    rows = [
        blank
        | {
            "dataset": cell.dataset,
            "method": cell.method,
            "tier": "smoke",
            "seed": cell.seed,
            "metric": "area_attention",
            "view": "unmasked",
            "target": f"{layer}/{variant}",
            "value": NOISE[cell.seed]
            + (
                value(layer, cell.method, variant, f["global_rows"])
                if f["stop"]
                else UNTRAINED
            ),
            "status": "ok",
            "cell": cell.key,
        }
        | f
        for cell, f in prediction.experiment.cells(TIERS["smoke"], len(NOISE))
        for layer in layers(cell.method, f["depth"])
        for variant in VARIANTS
    ]
    found = {prediction.experiment.id: pd.DataFrame(rows)}
    return judge_prediction(f"t/{number}", "t", prediction, found).verdict


def as_the_theory_says(layer, method, variant, rows):
    del layer, rows
    if method == "mae":
        return {"global": 0.9, "local": 0.9, "diversity": 0.7}.get(variant, -1.0)
    return {"global": 0.9, "local_to_global": 0.9, "diversity": 0.1}.get(variant, -1.0)


@pytest.mark.parametrize("number", PREDICTIONS)
def test_the_theorys_own_picture_supports_every_prediction(number):
    assert judged(number, as_the_theory_says) == "supported"


@pytest.mark.parametrize("number", PREDICTIONS)
def test_attention_that_training_leaves_alone_refutes_every_prediction(number):
    assert judged(number, lambda *_: UNTRAINED) == "refuted"


def test_an_mae_that_ignores_the_smallest_areas_refutes_that_size_alone():
    def ignored(layer, method, variant, rows):
        if rows == 5 and variant == "local":
            return 0.0
        return as_the_theory_says(layer, method, variant, rows)

    refuted = {number for number in PREDICTIONS if judged(number, ignored) == "refuted"}
    assert refuted == {"H1-local-15"}


def test_the_maps_of_masked_patches_and_of_encoders_are_judged_apart():
    def plain_encoder(layer, method, variant, rows):
        if layer == "encoder" and variant == "diversity":
            return 0.1
        return as_the_theory_says(layer, method, variant, rows)

    assert judged("H3", plain_encoder) == "supported"
    assert judged("H3-encoder", plain_encoder) == "refuted"
