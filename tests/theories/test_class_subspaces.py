"""Each claim is supported by the picture that it draws, and by no other."""

from collections.abc import Callable

import pytest

from mae_bench.records.schema import Cell, Settings
from mae_bench.theories.class_subspaces import CLASS_SUBSPACES

PREDICTIONS = CLASS_SUBSPACES.predictions
Measured = Callable[[Cell, Settings], dict[str, float]]


def reach(first: dict[str, float], mean: dict[str, float]) -> Measured:
    """By method: the reach of the first layer, and the mean."""
    return lambda cell, _: {
        "encoder/0/reach": first.get(cell.method, 0.3),
        "encoder/reach": mean.get(cell.method, 0.3),
    }


@pytest.mark.parametrize(
    ("mae", "supervised", "verdict"),
    [(0.9, 0.5, "supported"), (0.55, 0.5, "refuted"), (0.5, 0.9, "refuted")],
)
def test_the_first_layers_are_compared_and_not_the_means(
    mae: float, supervised: float, verdict: str, judged
) -> None:
    first = {"mae": mae, "supervised": supervised}
    against = {"mae": supervised, "supervised": mae}
    assert judged(PREDICTIONS, "S2-early", reach(first, against)) == verdict


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
    mae: float, supervised: float, verdict: str, judged
) -> None:
    first = {"mae": 0.9, "supervised": 0.5}
    mean = {"mae": mae, "supervised": supervised}
    assert judged(PREDICTIONS, "S2-persistent", reach(first, mean)) == verdict
