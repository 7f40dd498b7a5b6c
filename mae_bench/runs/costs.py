"""What a cell costs, by what cells like it took."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import pandas as pd

from mae_bench.records import folders, registry
from mae_bench.records.folders import PUBLISHED_TIER
from mae_bench.records.read import read_words
from mae_bench.records.rows import Measurements
from mae_bench.records.schema import TIERS, Cell, Setting
from mae_bench.records.words import in_full

# Of a cell like which none was ever trained: this share of its time limit.
_UNKNOWN = 1 / 6
_POINT = ("dataset", "method", "tier")


def time_limit(cell: Cell) -> float:
    """Seconds after which a cell is stopped: its tier's, in as many times its steps.

    What is taken on top of the steps, images and metrics, has the tier's time at least.
    """
    tier = TIERS[cell.tier]
    steps = cell.method_settings.get("steps", tier.steps)
    assert isinstance(steps, int)
    return tier.time_limit * max(1.0, steps / tier.steps)


@dataclass(frozen=True)
class Costs:
    """Core-seconds of a training, from rows.

    Args:
        known: Experiment id, or ``""`` for any; dataset, method, tier and factor
            values, the last empty for any -> the median of what was taken.
    """

    known: Mapping[tuple[object, ...], float]

    def __call__(self, experiment: str, cell: Cell, at: Mapping[str, Setting]) -> float:
        """Core-seconds of a cell with its factor values."""
        found = self.of(experiment, cell, at)
        return time_limit(cell) * _UNKNOWN if found is None else found

    def of(
        self, experiment: str, cell: Cell, at: Mapping[str, Setting]
    ) -> float | None:
        """The same; None of a cell like which none was ever trained."""
        part = cell.dataset, cell.method, cell.tier
        exact = self.known.get((experiment, *part, _said(at)))
        return self.known.get(("", *part, "")) if exact is None else exact


# Of what nothing is known.
NO_COSTS = Costs({})


def costs(*sources: Measurements) -> Costs:
    """Learn from rows; of several sources an earlier one is believed first.

    Args:
        sources: Experiment id -> its tidy rows.
    """
    known: dict[tuple[object, ...], float] = {}
    for measurements in reversed(sources):
        tables = [_cells(name, rows) for name, rows in measurements.items()]
        if not tables:
            continue
        cells = pd.concat(tables, ignore_index=True)
        rough = cells.assign(experiment="", at="")
        grouped = pd.concat([cells, rough]).groupby(["experiment", *_POINT, "at"])
        medians = grouped["train_seconds"].median().reset_index()
        *points, seconds = (medians[column] for column in medians)
        known |= dict(zip(zip(*points, strict=True), seconds, strict=True))
    return Costs(known)


def published(names: Iterable[str], tier: str) -> Measurements:
    """The published rows of some experiments, if there are any of that tier."""
    if tier != PUBLISHED_TIER:
        return {}
    home = folders.published() / "measurements"
    paths = {name: home / f"{name}.csv" for name in names}
    return {name: read_words(path) for name, path in paths.items() if path.exists()}


def _cells(experiment: str, rows: pd.DataFrame) -> pd.DataFrame:
    """One row a trained cell."""
    factors = [*registry.load("experiments", experiment).factors]
    cells = in_full(rows[rows["status"] == "ok"].drop_duplicates("cell"))
    at = [
        _said(dict(zip(factors, values, strict=True)))
        for values in cells[factors].astype(object).to_numpy()
    ]
    return cells[["experiment", *_POINT, "train_seconds"]].assign(at=at)


def _said(at: Mapping[str, object]) -> str:
    """Factor values in words that rows and cells share; an empty one is none."""
    return " ".join(
        f"{name}={f'{value:g}' if isinstance(value, int | float) else value}"
        for name, value in sorted(at.items())
        if value is not None and value == value and value != ""
    )
