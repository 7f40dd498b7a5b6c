"""A trial before a run: can every world and method be built as it is asked for?"""

from __future__ import annotations

from collections.abc import Collection

from mae_bench.records.faults import in_one_line
from mae_bench.records.schema import Cell, UsageError, canonical
from mae_bench.runs.plan import Task


def trial(due: Collection[Task]) -> None:
    """Build the world and the method of cells that are to run, at their first seed.

    Raises:
        UsageError: One cannot be built.
    """
    tried = set()
    for cell in sorted((task.cell for task in due), key=lambda cell: cell.seed):
        kind = canonical(
            [cell.dataset, cell.method, cell.dataset_settings, cell.method_settings]
        )
        if kind not in tried:
            tried.add(kind)
            _build(cell)


def _build(cell: Cell) -> None:
    from mae_bench.training import train

    try:
        train.build(cell, "cpu")
    except UsageError:
        raise
    except Exception as error:
        # A part may raise anything.
        raise UsageError(
            f"{cell.method} on {cell.dataset} cannot be built: {in_one_line(error)}"
        ) from error
