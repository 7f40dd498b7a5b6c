"""Each claim is supported by what the theorem draws, and refuted by its opposite."""

from collections.abc import Callable

import pandas as pd
import pytest

from mae_bench.records.rows import COLUMNS
from mae_bench.records.schema import TIERS, Cell
from mae_bench.theories.claims.identifiability import IDENTIFIABILITY
from mae_bench.theories.hierarchical_latents import HIERARCHICAL_LATENTS
from mae_bench.verdicts.judge import judge_prediction

NOISE = (0.0, 0.001, -0.001, 0.002, -0.002)
Value = Callable[[str, Cell], float]
TARGETS = (
    "c",
    "code",
    "private/eps_1",
    "private/eps_2",
    "inside/0/0",
    *(f"{side}/1/{node}" for side in ("inside", "outside") for node in range(4)),
    *(f"outside/2/{leaf}" for leaf in range(16)),
)


def judged(number: str, value: Value) -> str:
    prediction = IDENTIFIABILITY[number]
    blank: dict[str, object] = dict.fromkeys(COLUMNS, "")
    rows = [
        blank
        | {
            "dataset": cell.dataset,
            "method": cell.method,
            "tier": "quick",
            "seed": cell.seed,
            "metric": prediction.metric.id,
            "view": "unmasked",
            "target": target,
            "value": value(target, cell) + NOISE[cell.seed],
            "status": "ok",
            "cell": cell.key,
        }
        | factors
        for cell, factors in prediction.experiment.cells(TIERS["quick"], len(NOISE))
        for target in TARGETS
    ]
    found = {prediction.experiment.id: pd.DataFrame(rows)}
    return judge_prediction(number, "t", prediction, found).verdict


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
def test_what_the_theorem_draws_supports_it(number: str) -> None:
    assert judged(number, as_the_theorem_says) == "supported"


@pytest.mark.parametrize("number", sorted(set(IDENTIFIABILITY) - {"K3-saturation"}))
def test_the_opposite_refutes_it(number: str) -> None:
    assert judged(number, the_opposite) == "refuted"


def test_they_are_the_theorys_own() -> None:
    for number, prediction in IDENTIFIABILITY.items():
        assert HIERARCHICAL_LATENTS.predictions[number] is prediction
