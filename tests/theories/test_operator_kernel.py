"""Each claim is supported by the picture that it draws, and by no other."""

from collections.abc import Callable

import pytest

from mae_bench.records.schema import Cell, Settings
from mae_bench.theories.operator_kernel import OPERATOR_KERNEL

PREDICTIONS = OPERATOR_KERNEL.predictions


def by_method(values: dict[str, float]) -> Callable[[Cell, Settings], float]:
    return lambda cell, _: values.get(cell.method, 0.3)


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
    number: str, trained: float, control: float, verdict: str, judged
) -> None:
    other = str(PREDICTIONS[number].control.where["method"])
    values = by_method({"mae": trained, other: control})
    assert judged(PREDICTIONS, number, values) == verdict


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
    number: str, mae: float, supervised: float, simclr: float, verdict: str, judged
) -> None:
    values = by_method({"mae": mae, "supervised": supervised, "simclr": simclr})
    assert judged(PREDICTIONS, number, values) == verdict


RISING, FALLING, FLAT = (0.2, 0.4, 0.6, 0.8, 1.0), (1.0, 0.8, 0.6, 0.4, 0.2), (0.5,) * 5


@pytest.mark.parametrize(
    ("number", "factor", "supports", "refutes"),
    [
        ("C1-training", "stop", FALLING, RISING),
        ("C3-ratio", "mask_ratio", (1.0, 1.0, 0.8, 0.6, 0.2), RISING),
        ("C5", "decoder_depth", (0.5, 0.5, 0.7, 0.7, 0.7), FALLING),
        ("C7", "pos_embed", (0.9, 0.5), (0.5, 0.9)),
    ],
)
def test_a_curve_supports_refutes_or_is_too_flat(
    number: str,
    factor: str,
    supports: tuple[float, ...],
    refutes: tuple[float, ...],
    judged,
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

        def measured(_: Cell, f: Settings, factor=factor, values=values) -> float:
            return values.get(f[factor], 0.3)

        assert judged(PREDICTIONS, number, measured) == verdict


@pytest.mark.parametrize(
    ("number", "factor", "low", "first", "rest"),
    [
        ("C1-training", "stop", (0.0,), 0.9, 0.1),
        ("C5", "decoder_depth", (0, 1), 0.1, 0.9),
        ("C7", "pos_embed", (False,), 0.9, 0.1),
    ],
)
def test_what_independent_spins_show_as_well_supports_nothing(
    number: str, factor: str, low: tuple[float, ...], first: float, rest: float, judged
) -> None:
    def measured(_: Cell, f: Settings) -> float:
        return first if f[factor] in low else rest

    assert judged(PREDICTIONS, number, measured) == "supported"
    assert judged(PREDICTIONS, number, measured, everywhere=True) == "void"
