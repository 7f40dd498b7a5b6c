"""What the store and the rows know of cells -> the rows that an experiment lacks.

The rows are the evidence and stay; the store, a cache, gives what they do not have. A
cell that could not be trained has one row, or, where some of it was measured before, a
row for each metric that it owes.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from typing import Any

import pandas as pd

from mae_bench.records import registry
from mae_bench.records.schema import Cell, Measurement, Setting
from mae_bench.records.store import Record, Store, Trained
from mae_bench.runs import score
from mae_bench.runs.known import WHOLE, Known, Pair

Placed = tuple[Cell, Mapping[str, Setting]]
_BLANK: Record = {
    "metric": "",
    "metric_version": 0,
    "view": "",
    "token": "",
    "target": "",
    "value": None,
    "n_eval": 0,
    "commit": "",
    "dirty": False,
    "versions": "",
    "device": "",
}


@dataclass(frozen=True)
class Sources:
    """Where the numbers of cells come from.

    Args:
        store: Numbers that were measured here.
        known: Rows that are there.
        anew: Cell key -> its pairs that this run measured, whose rows are replaced.
        lost: Key -> why what is lacking of that cell was not measured.
    """

    store: Store
    known: Known = field(default_factory=Known)
    anew: Mapping[str, Collection[Pair]] = field(default_factory=dict)
    lost: Mapping[str, str] = field(default_factory=dict)


def export(
    experiment: str,
    cells: Iterable[Placed],
    wanted: Collection[Pair],
    sources: Sources,
) -> pd.DataFrame:
    """The rows of an experiment that its file lacks, or has to change.

    Args:
        experiment: Experiment id.
        cells: Its cells, with their factor values.
        wanted: Its pairs (metric id, view).
        sources: Where the numbers are.

    Returns:
        Columns of ``Measurement``, the factors as columns of their own.
    """
    rows: list[Record] = []
    for cell, factors in cells:
        for found in _cell(experiment, cell, wanted, sources):
            measured = Measurement(
                experiment=experiment,
                dataset=cell.dataset,
                method=cell.method,
                tier=cell.tier,
                precision=cell.precision,
                factors=factors,
                seed=cell.seed,
                rounding=cell.rounding,
                cell=cell.key,
                **found,
            )
            rows.append(_flat(measured))
    # A factor's numbers stay as they are, whatever else is in their column.
    return pd.DataFrame(rows, dtype=object)


def _flat(measured: Measurement) -> Record:
    """Fields by name, the factors in their place."""
    row: Record = {}
    for f in fields(measured):
        value = getattr(measured, f.name)
        row |= value if f.name == "factors" else {f.name: value}
    return row


def _cell(
    experiment: str, cell: Cell, wanted: Collection[Pair], sources: Sources
) -> Iterator[Record]:
    """The fields of a cell's new rows, without those that name the cell."""
    asked = sources.anew.get(cell.key, ())
    there = sources.known.of(cell.key, experiment)
    kept = set(there) - set(asked) - ({WHOLE} if asked else set())
    if kept.issuperset(wanted):
        return  # without a look into the store
    trained = sources.store.trained(cell.key)
    found = {pair: _numbers(cell, pair, sources, trained) for pair in wanted}
    owed = []
    for pair in [pair for pair in wanted if pair not in kept]:
        yield from found[pair]
        if not found[pair]:
            owed.append(pair)
    if owed and WHOLE not in kept:
        alone = not kept and not any(found.values())
        yield from _owed(cell, owed, sources, trained, alone=alone)


def _numbers(
    cell: Cell, pair: Pair, sources: Sources, trained: Trained | None
) -> list[Record]:
    """The rows of a metric: of the store, or else of another experiment."""
    scores = sources.store.scores(cell.key) if trained else {}
    found = scores.get(score.name_of(cell, *pair))
    if trained is not None and trained.status == "ok" and found is not None:
        return [_row(trained, **of) for of in found]
    return list(sources.known.of(cell.key).get(pair, []))


def _owed(
    cell: Cell,
    pairs: Collection[Pair],
    sources: Sources,
    trained: Trained | None,
    *,
    alone: bool,
) -> Iterator[Record]:
    """Rows that say why there is no number; one, if there is none of the cell."""
    known = sources.known.of(cell.key)
    if alone and trained is None and WHOLE in known:
        yield from known[WHOLE]
        return
    end = trained or Trained("missing", "not run yet")
    if alone and end.status != "ok":
        yield _row(trained, status=end.status, reason=end.reason)
        return
    for metric, view in pairs:
        status, reason = end.status, end.reason
        if status in ("ok", "missing"):
            status = "missing"
            reason = sources.lost.get(cell.key, f"{metric} not measured yet")
        version = registry.load("metrics", metric).version
        head = {"metric": metric, "metric_version": version, "view": view}
        yield _row(trained, **head, status=status, reason=reason)


def _row(trained: Trained | None, **found: Any) -> Record:
    """The fields of a row, with where its cell was trained."""
    origin = (trained.provenance if trained else None) or {}
    seconds = trained.train_seconds if trained else 0.0
    return {**_BLANK, "train_seconds": seconds, **origin, **found}
