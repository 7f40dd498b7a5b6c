"""What claims are tried on: rows of their experiments, as if each cell had been run."""

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import pandas as pd
import pytest

from mae_bench.records import registry
from mae_bench.records.rows import COLUMNS
from mae_bench.records.schema import TIERS, Cell, Settings
from mae_bench.theories import Prediction
from mae_bench.verdicts.judge import judge_prediction

NOISE = (0.0, 0.001, -0.0015, 0.002, -0.0022, 0.0012, -0.0005)
Told = tuple[Cell, Settings, dict[str, Any]]
# By (metric, token, target), or by the claim's own target; or all that it reads.
Found = Mapping[tuple[str, str, str], float] | Mapping[str, float] | float
Measured = Callable[[Cell, Settings], Found]


@cache  # many claims share an experiment
def _cells(experiment: str, tier: str, seeds: int) -> list[Told]:
    blank: dict[str, Any] = dict.fromkeys(COLUMNS, "") | {"rounding": 0}
    grid = registry.load("experiments", experiment).cells(TIERS[tier], range(seeds))
    return [
        (
            cell,
            factors,
            blank
            | {
                "dataset": cell.dataset,
                "method": cell.method,
                "tier": tier,
                "seed": cell.seed,
                "status": "ok",
                "cell": cell.key,
            }
            | factors,
        )
        for cell, factors in grid
    ]


@pytest.fixture
def cells() -> Callable[[str, str, int], list[Told]]:
    """Each cell of an experiment's grid, its factors and what its rows say of it."""
    return _cells


def labelled(prediction: Prediction, found: Found) -> list[dict[str, Any]]:
    """A row's metric, view, token, target and value, for each number of a cell."""
    where = prediction.where
    own = {
        "metric": prediction.metric.id,
        "view": where.get("view", "unmasked"),
        "token": where.get("token", ""),
        "target": where.get("target", ""),
    }
    if not isinstance(found, Mapping):
        return [own | {"value": found}]
    names = ("metric", "token", "target")
    return [
        own
        | {"value": value}
        | (
            dict(zip(names, at, strict=True))
            if isinstance(at, tuple)
            else {"target": at}
        )
        for at, value in found.items()
    ]


@pytest.fixture
def judged() -> Callable[..., str]:
    """Verdict on a claim if each cell of its experiment measured what it is told to."""

    def verdict(
        predictions: Mapping[str, Prediction],
        number: str,
        measured: Measured,
        tier: str = "smoke",
        noise: float = 1.0,
        everywhere: bool = False,
    ) -> str:
        prediction = predictions[number]
        experiment = prediction.experiment.id
        worlds = {cell.dataset for cell, *_ in _cells(experiment, tier, 1)}

        def told(cell: Cell, factors: Settings) -> Found:
            """Spins without structure, beside another world, tell nothing."""
            found = measured(cell, factors)
            if everywhere or cell.dataset != "ising" or worlds == {"ising"}:
                return found
            if isinstance(found, Mapping):
                return dict.fromkeys(found, 0.0)  # type: ignore[return-value]
            return 0.0

        rows = [
            known | label | {"value": label["value"] + noise * NOISE[cell.seed]}
            for cell, factors, known in _cells(experiment, tier, len(NOISE))
            for label in labelled(prediction, told(cell, factors))
        ]
        # Every cell has come to rest, whatever else it measured.
        rest = {"metric": "convergence", "target": "converged", "value": 1.0}
        rows += [
            known | {"view": "unmasked", "token": ""} | rest
            for _, _, known in _cells(experiment, tier, len(NOISE))
        ] * prediction.converged
        tables = {experiment: pd.DataFrame(rows)}
        return judge_prediction(number, "t", prediction, tables).verdict

    return verdict
