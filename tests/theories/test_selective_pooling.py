"""Each claim is supported by the picture that it draws, and by no other."""

import pytest

from mae_bench.records.schema import Cell
from mae_bench.theories.selective_pooling import SELECTIVE_POOLING

PREDICTIONS = SELECTIVE_POOLING.predictions
QUERY = ("attentive_probe", "patches", "")
MEAN = ("linear_probe", "mean", "")


def gains(**by_method: float):
    def found(cell: Cell, _: object) -> dict[tuple[str, str, str], float]:
        gain = by_method.get(cell.method, 0.0)
        return {QUERY: 0.7 + gain, MEAN: 0.7}

    return found


@pytest.mark.parametrize("world", ["", "-hierarchy"])
@pytest.mark.parametrize(
    ("mae", "supervised", "verdict"),
    [
        (0.04, 0.0, "supported"),
        (0.0, 0.0, "refuted"),
        (-0.04, 0.0, "refuted"),
        (0.04, 0.04, "void"),
    ],
)
def test_bc2_wants_a_gain_that_a_taught_encoder_does_not_have(
    mae: float, supervised: float, verdict: str, world: str, judged
) -> None:
    found = gains(mae=mae, supervised=supervised)
    assert judged(PREDICTIONS, f"BC2{world}", found) == verdict


@pytest.mark.parametrize("world", ["", "-hierarchy"])
@pytest.mark.parametrize(
    ("mae", "simclr", "verdict"),
    [(0.04, 0.0, "supported"), (0.0, -0.04, "refuted"), (0.04, 0.05, "void")],
)
def test_bc2_joint_wants_a_gain_above_simclrs(
    mae: float, simclr: float, verdict: str, world: str, judged
) -> None:
    found = gains(mae=mae, simclr=simclr)
    assert judged(PREDICTIONS, f"BC2-joint{world}", found) == verdict
