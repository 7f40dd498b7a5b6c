"""Each claim is supported by the picture that it draws, and by no other."""

from collections.abc import Callable

import pytest

from mae_bench.records.schema import Cell, Settings
from mae_bench.theories.claims.matrix_information import MATRIX_INFORMATION


def values(
    number: str, m_mae: float, rival: float
) -> Callable[[Cell, Settings], dict[tuple[str, str, str], float]]:
    prediction = MATRIX_INFORMATION[number]
    label = (
        prediction.metric.id,
        prediction.where["token"],
        prediction.where.get("target", ""),
    )
    by_method = {"m_mae": m_mae, prediction.where["method"][1]: rival}
    return lambda cell, _: {label: by_method.get(cell.method, 0.2)}


@pytest.mark.parametrize("number", MATRIX_INFORMATION)
@pytest.mark.parametrize(
    ("step", "verdict"), [(0.1, "supported"), (0.0, "refuted"), (-0.1, "refuted")]
)
def test_m_mae_must_be_above_its_rival(
    number: str, step: float, verdict: str, judged
) -> None:
    told = values(number, 0.5 + step, 0.5)
    assert judged(MATRIX_INFORMATION, number, told) == verdict


@pytest.mark.parametrize(
    ("number", "m_mae", "verdict"),
    [("MM1", 0.53, "refuted"), ("MM2", 0.513, "supported")],
)
def test_a_gain_below_the_margin_is_none(
    number: str, m_mae: float, verdict: str, judged
) -> None:
    told = values(number, m_mae, 0.5)
    assert judged(MATRIX_INFORMATION, number, told) == verdict


def test_the_class_token_comes_first_and_the_mean_beside_it() -> None:
    for number, prediction in MATRIX_INFORMATION.items():
        mean = number.endswith("-mean")
        assert prediction.where["token"] == ("mean" if mean else "cls")
        assert ("class tokens" in prediction.claim) != mean
        assert ("mean tokens" in prediction.claim) == mean
        assert mean or f"{number}-mean" in MATRIX_INFORMATION
