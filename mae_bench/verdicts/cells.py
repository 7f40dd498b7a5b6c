"""The cells that a prediction speaks of: its own, its control's and its ceiling's."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from mae_bench.records.rows import Where
from mae_bench.records.schema import FULL_PRECISION, Cell, Precision, Setting, Tier

if TYPE_CHECKING:
    from mae_bench.theories import Prediction


def cells_of(
    prediction: Prediction,
    tier: Tier,
    seeds: range,
    precision: Precision = FULL_PRECISION,
) -> Iterator[tuple[Cell, dict[str, Setting]]]:
    """Cells with their factor values, of all that its experiment declares.

    Args:
        prediction: The claim.
        tier: Sizes the cells.
        seeds: Which repetitions.
        precision: Of every training.
    """
    filters = list(_filters(prediction))
    for cell, at in prediction.experiment.cells(tier, seeds, precision):
        point = {**at, "dataset": cell.dataset, "method": cell.method}
        if any(_admits(where, point) for where in filters):
            yield cell, at


def _filters(prediction: Prediction) -> Iterator[Where]:
    """Of the rows of a prediction, of its control and of its ceiling."""
    yield prediction.where
    yield {**prediction.where, **prediction.control.where}
    if isinstance(prediction.ceiling, Mapping):
        yield {**prediction.where, **prediction.ceiling}


def _admits(where: Where, point: Mapping[str, Any]) -> bool:
    """Whether a cell may have rows that the filters admit."""
    return all(
        point[name] in (wanted if isinstance(wanted, tuple) else (wanted,))
        for name, wanted in where.items()
        if name in point
    )
