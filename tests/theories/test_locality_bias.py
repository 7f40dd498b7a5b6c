"""Each claim is supported by the picture that it draws, and by no other."""

import pytest

from mae_bench.theories.locality_bias import LOCALITY_BIAS

PREDICTIONS = LOCALITY_BIAS.predictions


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
        ("D3", 0.9, 0.5, 0.5, "supported"),
        ("D3", 0.52, 0.5, 1.0, "refuted"),
        ("D3", 0.9, 0.5, 1.0, "void"),
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
    judged,
) -> None:
    values = {"mae": mae, "supervised": supervised, "random_init": untrained}
    number += world
    found = judged(PREDICTIONS, number, lambda cell, _: values.get(cell.method, 0.3))
    assert found == verdict


def test_each_world_is_judged_by_itself() -> None:
    for number, prediction in PREDICTIONS.items():
        digits = number.endswith("-digits")
        assert prediction.where["dataset"] == ("digits" if digits else "gaussian_tree")
