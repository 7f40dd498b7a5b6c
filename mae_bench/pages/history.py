"""What asv drew over commits, to be linked to one by one."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Graph:
    """A benchmark that asv draws over commits.

    Args:
        name: Its id.
        unit: Unit of its numbers.
        worse: Whether asv calls one of its steps a regression.
    """

    name: str
    unit: str
    worse: bool


@dataclass(frozen=True)
class History:
    """What asv published."""

    graphs: Sequence[Graph]
    regressions: int


def history(asv: Path) -> History | None:
    """What asv published; None if nothing.

    Args:
        asv: Folder of its pages.
    """
    if not (asv / "index.json").is_file():
        return None
    benchmarks = json.loads((asv / "index.json").read_text())["benchmarks"]
    found = json.loads((asv / "regressions.json").read_text())["regressions"]
    worse = {entry[0].partition("(")[0] for entry in found}
    graphs = [
        Graph(name, str(about.get("unit", "")), name in worse)
        for name, about in sorted(benchmarks.items())
    ]
    return History(graphs, len(found))
