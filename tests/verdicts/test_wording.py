"""Predictions in words."""

from dataclasses import replace

import pytest

from mae_bench.predictions import Control
from mae_bench.predictions.contrast import Contrast
from mae_bench.records import registry
from mae_bench.records.rows import value_in_words
from mae_bench.theories import Prediction
from mae_bench.verdicts.wording import control, measured, where, wording

CLAIMS = {
    f"{name}/{number}": prediction
    for name in registry.names("theories")
    for number, prediction in registry.load("theories", name).predictions.items()
}
K5 = CLAIMS["hierarchical_latents/K5"]
# Words that lean on a sentence before them.
LEANING = ("and ", "but ", "its ", "it ", "so ", "then ", "that ")


@pytest.mark.parametrize("key", CLAIMS)
def test_every_row_can_be_read_alone(key: str) -> None:
    prediction = CLAIMS[key]
    words = wording(prediction)
    assert all(words.values())
    assert not words["claim"].startswith(LEANING)
    assert f"{prediction.form.margin:g}" in measured(prediction)
    assert prediction.control.reason in words["control"]
    for column, value in prediction.control.where.items():
        if prediction.where.get(column) != value:
            assert f"{column} {value_in_words(value)}" in words["control"]
    assert words["control"].startswith("none: ") is prediction.control.absent


def test_words_are_those_of_the_prediction() -> None:
    words = wording(K5)
    assert (words["claim"], words["place"]) == (K5.claim, K5.place)
    assert words["refuted_by"] == K5.refuted_by
    assert words["margin_reason"] == K5.margin_reason
    assert (words["experiment"], words["metric"]) == (K5.experiment.id, K5.metric.id)
    assert where(K5).startswith("dataset invertible_tree or random_hierarchy, ")
    assert measured(K5).endswith("both of its ends is above 0.02, at each dataset")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (Control("there is none"), "none: there is none"),
        (
            Control("of noise", {"method": "random_init", "view": "masked", "stop": 0}),
            "method random_init in place of mae, stop 0, all else the same; because of "
            "noise",
        ),
        (
            Control("too", form=Contrast(0.1, {"method": "mae"}, 0.0)),
            "in place of the claim: [method mae] is above 0.1; because too",
        ),
        (
            Control("both", {"stop": 0}, Contrast(0.1, {"method": "mae"}, 0.0)),
            "stop 0, in place of the claim: [method mae] is above 0.1; because both",
        ),
    ],
)
def test_a_control_says_what_it_changes_and_why(given: Control, said: str) -> None:
    claim: Prediction = replace(K5, control=given)
    assert control(claim) == said


@pytest.mark.parametrize(
    ("key", "unit"),
    [
        ("hierarchical_latents/K1", "R2, at most 1"),
        ("average_distance/A1", "accuracy, 0 to 1"),
        ("attention_homogeneity/V1", "share of even attention's distance, at least 0"),
        ("attention_homogeneity/V2-heads", "nats, at least 0"),
        ("hierarchical_latents/K8-pixels", "decibels"),
        ("spatial_correlations/B-D3", "share of the weights, at least 0"),
        ("hierarchical_latents/K4", "area under the ROC curve, 0 to 1"),
        ("deep_linear_dynamics/LW4-mae", "share of 0.75"),
    ],
)
def test_a_unit_is_that_of_the_effect_with_its_range(key: str, unit: str) -> None:
    assert wording(CLAIMS[key])["unit"] == unit


def test_two_metrics_are_both_named() -> None:
    found = wording(CLAIMS["spatial_correlations/B10-loss"])["metric"]
    assert found == "linear_probe and reconstruction_error"
