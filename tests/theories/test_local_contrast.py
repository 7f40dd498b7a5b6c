"""Each claim is supported by the picture that it draws, and by no other."""

import pytest

from mae_bench.theories.local_contrast import LOCAL_CONTRAST

PREDICTIONS = LOCAL_CONTRAST.predictions


@pytest.mark.parametrize("number", ["Y1", "Y1-influence"])
@pytest.mark.parametrize(
    ("trained", "untrained", "verdict"),
    [(0.5, 1.0, "supported"), (0.9, 1.0, "refuted"), (0.5, 0.5, "void")],
)
def test_y1_wants_a_near_decoder_that_was_not_near_from_the_start(
    number: str, trained: float, untrained: float, verdict: str, judged
) -> None:
    reach = {0.0: untrained, 1.0: trained}
    found = judged(PREDICTIONS, number, lambda _, f: reach.get(f["stop"], 0.8))
    assert found == verdict


@pytest.mark.parametrize("number", ["Y2", "Y2-influence"])
@pytest.mark.parametrize(
    ("step", "verdict"), [(0.2, "supported"), (0.01, "refuted"), (-0.2, "refuted")]
)
def test_y2_wants_a_distance_that_rises_with_the_ratio(
    number: str, step: float, verdict: str, judged
) -> None:
    ratios = PREDICTIONS[number].experiment.factors["mask_ratio"]
    distance = {ratio: 4 + step * i for i, ratio in enumerate(ratios)}
    found = judged(PREDICTIONS, number, lambda _, f: distance[f["mask_ratio"]])
    assert found == verdict


@pytest.mark.parametrize(
    ("step", "verdict"), [(-0.05, "supported"), (0.0, "refuted"), (0.05, "refuted")]
)
def test_y3_wants_attention_that_looks_at_the_image_later(
    step: float, verdict: str, judged
) -> None:
    layers = PREDICTIONS["Y3"].where["target"]
    alike = {layer: 0.9 + step * i for i, layer in enumerate(layers)}
    assert judged(PREDICTIONS, "Y3", lambda *_: alike) == verdict
