"""Each claim is supported by what the theorem draws, and refuted by its opposite."""

from collections.abc import Callable

import pytest

from mae_bench.records.schema import Cell, Settings
from mae_bench.theories.claims.identifiability import IDENTIFIABILITY
from mae_bench.theories.hierarchical_latents import HIERARCHICAL_LATENTS

Value = Callable[[str, Cell], float]
Measured = Callable[[Cell, Settings], dict[str, float]]
TARGETS = (
    "c",
    "code",
    "private/eps_1",
    "private/eps_2",
    "inside/0/0",
    *(f"{side}/1/{node}" for side in ("inside", "outside") for node in range(4)),
    *(f"outside/2/{leaf}" for leaf in range(16)),
)


def on_all_targets(value: Value) -> Measured:
    return lambda cell, _: {target: value(target, cell) for target in TARGETS}


def as_the_theorem_says(target: str, cell: Cell) -> float:
    """c alone at its width; less in a narrower code, private parts in a wider one."""
    width = cell.method_settings["bottleneck"]
    left = cell.method_settings["mask_family"] == "left"
    if cell.method == "autoencoder":
        return 0.6 if target.startswith(("outside", "private")) else 0.4
    if cell.method == "reduced_rank":
        return 0.92 if target == "c" else 0.5
    if target == "c":
        return 0.6 if width == 1 or (width == 3 and not left) else 0.99
    if target == "code":
        return 0.8 if width == 8 else 0.98
    if target == "private/eps_1":
        return 0.4 if width == 8 else 0.01
    return 0.95 if target.startswith("inside/") else 0.02


def the_opposite(target: str, cell: Cell) -> float:
    return 1 - as_the_theorem_says(target, cell)


@pytest.mark.parametrize("number", IDENTIFIABILITY)
def test_what_the_theorem_draws_supports_it(number: str, judged) -> None:
    told = on_all_targets(as_the_theorem_says)
    assert judged(IDENTIFIABILITY, number, told, tier="quick") == "supported"


@pytest.mark.parametrize("number", sorted(set(IDENTIFIABILITY) - {"K3-saturation"}))
def test_the_opposite_refutes_it(number: str, judged) -> None:
    told = on_all_targets(the_opposite)
    assert judged(IDENTIFIABILITY, number, told, tier="quick") == "refuted"


def test_they_are_the_theorys_own() -> None:
    for number, prediction in IDENTIFIABILITY.items():
        assert HIERARCHICAL_LATENTS.predictions[number] is prediction
