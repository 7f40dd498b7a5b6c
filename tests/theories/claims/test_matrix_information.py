"""Each claim is supported by the picture that it draws, and by no other."""

import pandas as pd
import pytest

from mae_bench.records.rows import COLUMNS
from mae_bench.records.schema import TIERS
from mae_bench.theories.claims.matrix_information import MATRIX_INFORMATION
from mae_bench.verdicts.judge import judge_prediction

NOISE = (0.0, 0.001, -0.001, 0.002, -0.002)


def judged(number: str, m_mae: float, rival: float) -> str:
    prediction = MATRIX_INFORMATION[number]
    where = prediction.where
    other = where["method"][1]
    blank: dict[str, object] = dict.fromkeys(COLUMNS, "")
    rows = [
        blank
        | {
            "dataset": cell.dataset,
            "method": cell.method,
            "tier": "smoke",
            "seed": cell.seed,
            "metric": prediction.metric.id,
            "view": "unmasked",
            "token": "mean",
            "target": where.get("target", ""),
            "value": {"m_mae": m_mae, other: rival}.get(cell.method, 0.2)
            + NOISE[cell.seed],
            "status": "ok",
            "cell": cell.key,
        }
        for cell, _ in prediction.experiment.cells(TIERS["smoke"], len(NOISE))
    ]
    found = {prediction.experiment.id: pd.DataFrame(rows)}
    return judge_prediction(number, "mask_graph_alignment", prediction, found).verdict


@pytest.mark.parametrize("number", MATRIX_INFORMATION)
@pytest.mark.parametrize(
    ("step", "verdict"), [(0.1, "supported"), (0.0, "refuted"), (-0.1, "refuted")]
)
def test_m_mae_must_be_above_its_rival(number: str, step: float, verdict: str) -> None:
    assert judged(number, 0.5 + step, 0.5) == verdict


def test_a_gain_below_the_margin_is_none() -> None:
    assert judged("MM1", 0.53, 0.5) == "refuted"
    assert judged("MM2", 0.513, 0.5) == "supported"
