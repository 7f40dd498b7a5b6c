import pytest

from mae_bench.theories.attention_diversity import ATTENTION_DIVERSITY

PREDICTIONS = ATTENTION_DIVERSITY.predictions
VARIANTS = ("global", "local", "local_to_global", "diversity")
UNTRAINED = 0.3


def layers(method, depth):
    return ["encoder"] * (depth == 1) + ["decoder"] * (method == "mae")


@pytest.fixture
def attended(judged):
    """Verdict if trained attention is as ``value`` of layer, method, variant, rows."""

    def verdict(number, value):
        def attention(layer, variant, method, f):
            trained = value(layer, method, variant, f["global_rows"])
            return trained if f["stop"] else UNTRAINED

        def measured(cell, f):
            return {
                ("area_attention", "", f"{layer}/{variant}"): attention(
                    layer, variant, cell.method, f
                )
                for layer in layers(cell.method, f["depth"])
                for variant in VARIANTS
            }

        return judged(PREDICTIONS, number, measured, noise=10.0)

    return verdict


def as_the_theory_says(layer, method, variant, rows):
    del layer, rows
    if method == "mae":
        return {"global": 0.9, "local": 0.9, "diversity": 0.7}.get(variant, -1.0)
    return {"global": 0.9, "local_to_global": 0.9, "diversity": 0.1}.get(variant, -1.0)


@pytest.mark.parametrize("number", PREDICTIONS)
def test_the_theorys_own_picture_supports_every_prediction(number, attended):
    assert attended(number, as_the_theory_says) == "supported"


@pytest.mark.parametrize("number", PREDICTIONS)
def test_attention_that_training_leaves_alone_refutes_every_prediction(
    number, attended
):
    assert attended(number, lambda *_: UNTRAINED) == "refuted"


def test_an_mae_that_ignores_the_smallest_areas_refutes_that_size_alone(attended):
    def ignored(layer, method, variant, rows):
        if rows == 5 and variant == "local":
            return 0.0
        return as_the_theory_says(layer, method, variant, rows)

    found = {number: attended(number, ignored) for number in PREDICTIONS}
    assert [n for n in found if found[n] == "refuted"] == ["H1-local-15"]


def test_the_maps_of_masked_patches_and_of_encoders_are_judged_apart(attended):
    def plain_encoder(layer, method, variant, rows):
        if layer == "encoder" and variant == "diversity":
            return 0.1
        return as_the_theory_says(layer, method, variant, rows)

    assert attended("H3", plain_encoder) == "supported"
    assert attended("H3-encoder", plain_encoder) == "refuted"
