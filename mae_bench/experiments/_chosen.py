"""Settings that trials chose, without labels, for each method in each world."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType

from mae_bench.records.schema import Setting, UsageError

# Written by ``mae-bench tune --write``; with a header alone, nothing is chosen.
TABLE = Path(__file__).with_name("learning_rates.csv")
COLUMNS = (
    "dataset",
    "method",
    "tier",
    "lr",
    "rule",
    "value",
    "runner_up",
    "trials",
    "flops_step",
    "steps_at_equal_cost",
)
# Setting -> the column that it is read from.
LR = MappingProxyType({"lr": "lr"})
AT_EQUAL_COST = MappingProxyType({"lr": "lr", "steps": "steps_at_equal_cost"})

Key = tuple[str, str, str]


@dataclass(frozen=True)
class Chosen:
    """Settings by (dataset, method, tier), where a table has them.

    Args:
        columns: Setting -> its column.
        path: The table.
    """

    columns: Mapping[str, str]
    path: Path = TABLE

    def __call__(self, dataset: str, method: str, tier: str) -> dict[str, Setting]:
        """What was chosen; nothing in a world that the table does not have.

        Raises:
            UsageError: The table has the world at this tier, and not the method.
        """
        table = _read(self.path, self.path.stat().st_mtime_ns)
        row = table.get((dataset, method, tier))
        if row is None and not any(d == dataset and t == tier for d, _, t in table):
            return {}
        found = {name: (row or {}).get(at, "") for name, at in self.columns.items()}
        lacking = [self.columns[name] for name, text in found.items() if not text]
        if lacking:
            raise UsageError(
                f"{method} has no {' and no '.join(lacking)} on {dataset}, tier "
                f"{tier}, in {self.path.name}; measure the experiment learning_rates "
                "of it, then run mae-bench tune --write"
            )
        return {name: _number(text) for name, text in found.items()}


@cache
def _read(path: Path, changed: int) -> dict[Key, dict[str, str]]:
    """The table, read once as long as it is the same."""
    del changed
    with path.open(newline="", encoding="utf-8") as file:
        rows = csv.DictReader(file)
        if tuple(rows.fieldnames or ()) != COLUMNS:
            raise UsageError(f"{path} is no table of {', '.join(COLUMNS)}")
        return {(r["dataset"], r["method"], r["tier"]): r for r in rows}


def _number(text: str) -> int | float:
    return int(text) if text.isdecimal() else float(text)
