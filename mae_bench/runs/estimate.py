"""What a plan costs, before it is begun: cells and core-minutes of every experiment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from mae_bench.records import registry
from mae_bench.records.schema import Cell, Setting
from mae_bench.records.store import Store
from mae_bench.runs.costs import Costs
from mae_bench.runs.plan import Plan, Task

TOTAL = "each cell once"
HOW = (
    "core-minutes of training, by what cells like these took; measuring comes on top, "
    "and what is unknown"
)
COLUMNS = ("experiment", "cells", "measured", "to_run", "core_minutes", "cost_unknown")


def estimate(
    plan: Plan, due: Sequence[Task], store: Store, cost: Costs
) -> pd.DataFrame:
    """A row an experiment, as if it were run alone, and one of each cell once.

    Args:
        plan: What is wanted.
        due: What is to be run of it; see ``plan.pending``.
        store: Where cells are kept: what is there is not trained again.
        cost: What cells like one took.

    Returns:
        Columns ``COLUMNS``: all cells; those whose rows are there, or that are kept as
        they ended; those that are to run; core-minutes of their trainings, without
        those of unknown cost; and how many these are. Controls, and what lies on the
        way of another training, cost nothing.
    """
    to_run = {task.cell.key: task for task in due}
    prices: dict[str, float | None] = {}

    def price(name: str, cell: Cell, at: Mapping[str, Setting]) -> float | None:
        free = (
            not registry.load("methods", cell.method).trains
            or not cell.method_settings.get("stop", 1.0)
            or to_run[cell.key].after
            or store.trained(cell.key)
        )
        return 0.0 if free else cost.of(name, cell, at)

    rows = []
    for name, placed in plan.rows.items():
        mine = {
            cell.key: price(name, cell, at) for cell, at in placed if cell.key in to_run
        }
        prices = mine | prices
        rows.append((name, *_row(len({cell.key for cell, _ in placed}), mine)))
    rows.append((TOTAL, *_row(len(plan.tasks), prices)))
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _row(cells: int, prices: Mapping[str, float | None]) -> tuple[int | float, ...]:
    known = [price for price in prices.values() if price is not None]
    unknown = len(prices) - len(known)
    return cells, cells - len(prices), len(prices), sum(known) / 60, unknown


def render(table: pd.DataFrame) -> str:
    """The table as plain text."""
    return table.to_string(index=False, float_format="{:.1f}".format)
