"""Each claim is supported by the picture that it draws, and by no other."""

import pandas as pd
import pytest

from mae_bench.records.rows import COLUMNS
from mae_bench.records.schema import TIERS, Settings
from mae_bench.theories.operator_kernel import OPERATOR_KERNEL
from mae_bench.verdicts.judge import judge_prediction

PREDICTIONS = OPERATOR_KERNEL.predictions
NOISE = (0.0, 0.001, -0.001, 0.002, -0.002)


def judged(number: str, values: dict[object, float], by: str = "method") -> str:
    """Verdict if the metric is as given by method, or by a factor."""
    prediction = PREDICTIONS[number]
    where = prediction.where
    blank: dict[str, object] = dict.fromkeys(COLUMNS, "")

    def value(method: str, factors: Settings) -> float:
        return values.get(method if by == "method" else factors[by], 0.3)

    rows = [
        blank
        | {
            "dataset": cell.dataset,
            "method": cell.method,
            "tier": "smoke",
            "seed": cell.seed,
            "metric": prediction.metric.id,
            "view": "unmasked",
            "token": where.get("token", ""),
            "target": where.get("target", ""),
            "value": value(cell.method, factors) + NOISE[cell.seed],
            "status": "ok",
            "cell": cell.key,
        }
        | factors
        for cell, factors in prediction.experiment.cells(TIERS["smoke"], len(NOISE))
    ]
    found = {prediction.experiment.id: pd.DataFrame(rows)}
    return judge_prediction(number, "operator_kernel", prediction, found).verdict


@pytest.mark.parametrize(
    ("number", "trained", "control", "verdict"),
    [
        ("C1", 0.2, 0.9, "supported"),
        ("C1", 0.45, 0.9, "refuted"),
        ("C1", 0.2, 0.2, "void"),
        ("C2", 0.4, 0.0, "supported"),
        ("C2", 0.05, 0.0, "refuted"),
        ("C2", 0.4, 0.4, "void"),
        ("C3", 0.7, 0.2, "supported"),
        ("C3", 0.4, 0.2, "refuted"),
        ("C3", 0.7, 0.7, "void"),
        ("C6", 0.5, 0.05, "supported"),
        ("C6", 0.1, 0.05, "refuted"),
        ("C6", 0.5, 0.5, "void"),
    ],
)
def test_a_level_is_held_against_the_method_where_it_must_not_be_reached(
    number: str, trained: float, control: float, verdict: str
) -> None:
    other = PREDICTIONS[number].control.where["method"]
    assert judged(number, {"mae": trained, other: control}) == verdict


@pytest.mark.parametrize("number", ["C4", "C4-digits"])
@pytest.mark.parametrize(
    ("mae", "supervised", "simclr", "verdict"),
    [
        (0.9, 0.5, 0.5, "supported"),
        (0.5, 0.48, 0.5, "refuted"),
        (0.5, 0.9, 0.9, "refuted"),
    ],
)
def test_c4_wants_layers_more_alike_than_those_of_the_others(
    number: str, mae: float, supervised: float, simclr: float, verdict: str
) -> None:
    values = {"mae": mae, "supervised": supervised, "simclr": simclr}
    assert judged(number, {**values}) == verdict


RISING, FALLING, FLAT = (0.2, 0.4, 0.6, 0.8, 1.0), (1.0, 0.8, 0.6, 0.4, 0.2), (0.5,) * 5


@pytest.mark.parametrize(
    ("number", "factor", "supports", "refutes"),
    [
        ("C1-training", "stop", FALLING, RISING),
        ("C3-ratio", "mask_ratio", FALLING, RISING),
        ("C5", "decoder_depth", (0.5, 0.5, 0.7, 0.7, 0.7), FALLING),
        ("C7", "pos_embed", (0.9, 0.5), (0.5, 0.9)),
    ],
)
def test_a_curve_supports_refutes_or_is_too_flat(
    number: str, factor: str, supports: tuple[float, ...], refutes: tuple[float, ...]
) -> None:
    levels = sorted(PREDICTIONS[number].experiment.factors[factor])[-len(supports) :]
    for curve, verdict in (
        (supports, "supported"),
        (refutes, "refuted"),
        (FLAT, "refuted"),
    ):
        values = dict(zip(levels, curve, strict=False))
        # The first checkpoint is as the second.
        values.setdefault(0.0, curve[0])
        assert judged(number, {**values}, factor) == verdict
