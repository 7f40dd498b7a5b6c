"""Each claim is supported by the picture that it draws, and by no other."""

import pytest

from mae_bench.theories.attention_homogeneity import ATTENTION_HOMOGENEITY

PREDICTIONS = ATTENTION_HOMOGENEITY.predictions


@pytest.mark.parametrize(
    ("number", "mae", "simclr", "untrained", "verdict"),
    [
        ("V1", 0.5, 0.9, 0.5, "supported"),
        ("V1", 0.85, 0.9, 0.5, "refuted"),
        ("V1", 0.5, 0.9, 1.0, "void"),
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
    number: str, mae: float, simclr: float, untrained: float, verdict: str, judged
) -> None:
    values = {"mae": mae, "simclr": simclr, "random_init": untrained}
    found = judged(PREDICTIONS, number, lambda cell, _: values.get(cell.method, 0.3))
    assert found == verdict
