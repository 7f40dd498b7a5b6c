"""Experiments -> the cells that they need, and which of them are to be run."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from mae_bench.experiments import Experiment
from mae_bench.records import registry
from mae_bench.records.rows import Measurements
from mae_bench.records.schema import (
    FULL_PRECISION,
    TIERS,
    Cell,
    Precision,
    Setting,
    UsageError,
)
from mae_bench.records.store import Record, Store
from mae_bench.runs import provenance, score
from mae_bench.runs.known import Known, Pair, known, unfinished

Placed = tuple[Cell, dict[str, Setting]]
Rerun = Literal["always", "failed", "missing", "never"]


@dataclass(frozen=True)
class Task:
    """A cell, and what is to be measured on it.

    Args:
        cell: What is trained.
        wanted: Pairs (metric id, view).
        store: Folder of the store.
        provenance: commit and dirty flag of the running code.
        passing: Cells whose end lies on the way of its training, see ``train``.
        passed: Whether it is such a cell of another task, which goes before.
    """

    cell: Cell
    wanted: tuple[Pair, ...]
    store: Path
    provenance: Record
    passing: tuple[Cell, ...] = ()
    passed: bool = False


@dataclass
class Plan:
    """Which cells each experiment needs, and with which factor values.

    Args:
        rows: Experiment id -> its cells with their factor values.
        wanted: Experiment id -> its pairs (metric id, view), sorted.
        tasks: Cell key -> task; the union over experiments.
    """

    rows: dict[str, list[Placed]] = field(default_factory=dict)
    wanted: dict[str, tuple[Pair, ...]] = field(default_factory=dict)
    tasks: dict[str, Task] = field(default_factory=dict)

    def take(
        self,
        name: str,
        cells: Sequence[Placed],
        pairs: Collection[Pair],
        store: Store,
        origin: Record,
    ) -> None:
        """Take cells of an experiment in, with what it measures on each.

        Args:
            name: The experiment's id.
            cells: With their factor values.
            pairs: What it measures, (metric id, view).
            store: Where cells are kept.
            origin: See ``Task.provenance``.
        """
        self.rows.setdefault(name, []).extend(cells)
        self.wanted[name] = tuple(sorted(pairs))
        for cell, _ in cells:
            there = self.tasks.get(cell.key)
            wanted = set(pairs).union(there.wanted if there else ())
            task = Task(cell, tuple(sorted(wanted)), store.root, origin)
            self.tasks[cell.key] = task

    def known(self, measurements: Measurements) -> Known:
        """What rows say of the cells, by the metrics' current versions."""
        metrics = {metric for pairs in self.wanted.values() for metric, _ in pairs}
        versions = {m: registry.load("metrics", m).version for m in metrics}
        return known(measurements, set(self.tasks), versions)


def plan(
    experiments: Mapping[str, Experiment],
    *,
    tier: str,
    seeds: range | None,
    store: Store,
    methods: Sequence[str] = (),
    datasets: Sequence[str] = (),
    precision: Precision = FULL_PRECISION,
    roundings: int = 1,
) -> Plan:
    """Lay out the cells of experiments.

    Args:
        experiments: By id.
        tier: Tier id.
        seeds: Which repetitions; the tier's own, from 0, if None.
        store: Where cells are kept.
        methods: Ids of those that are run; all if empty.
        datasets: Likewise.
        precision: Of every training.
        roundings: How often each training is run, its weights rounded otherwise.

    Raises:
        UsageError: The filters leave nothing to run.
    """
    result, origin = Plan(), provenance.code()
    repetitions = range(TIERS[tier].seeds) if seeds is None else seeds
    for name, experiment in experiments.items():
        chosen = [
            (cell, factors)
            for cell, factors in experiment.cells(TIERS[tier], repetitions, precision)
            if (not methods or cell.method in methods)
            and (not datasets or cell.dataset in datasets)
        ]
        chosen = rounded(chosen, roundings)
        if not chosen:
            continue
        result.take(name, chosen, experiment.wanted, store, origin)
    if not result.tasks:
        what = ", ".join(methods) or "any method"
        where = ", ".join(datasets) or "any dataset"
        raise UsageError(f"none of {', '.join(experiments)} runs {what} on {where}")
    return result


def rounded(cells: Iterable[Placed], roundings: int) -> list[Placed]:
    """Each cell that trains as often as its weights are rounded otherwise."""
    return [
        (replace(cell, rounding=rounding), at)
        for cell, at in cells
        for rounding in range(roundings if _trains(cell) else 1)
    ]


def pending(plan: Plan, store: Store, known: Known, rerun: Rerun) -> list[Task]:
    """The tasks that are to be run, each with what is lacking of its cell.

    What has rows is measured, whether or not the store has the cell. ``always`` and
    ``failed`` make the store forget first; of a cell of which a metric failed,
    ``failed`` forgets what that metric said.
    """
    due = [
        replace(task, wanted=lacking)
        for task in plan.tasks.values()
        if (lacking := _lacking(task, store, known, rerun))
    ]
    due = _along(due, store)
    # Long cells first: the last ones to finish are short.
    return sorted(due, key=lambda t: (_is_control(t), t.passed, t.cell.key))


def _along(due: Sequence[Task], store: Store) -> list[Task]:
    """The tasks, of those that lie on one way the longest with the others' cells."""
    ways: dict[str, list[Task]] = {}
    for task in due:
        given = task.cell.method_settings
        if (
            given.get("stop")
            and _passes(task.cell)
            and not store.trained(task.cell.key)
        ):
            whole = replace(task.cell, method_settings={**given, "stop": 1.0})
            ways.setdefault(whole.key, []).append(task)
    changed = {}
    for way in ways.values():
        *others, longest = sorted(way, key=lambda t: _stop(t.cell))
        passing = tuple(task.cell for task in others)
        changed[longest.cell.key] = replace(longest, passing=passing)
        changed |= {task.cell.key: replace(task, passed=True) for task in others}
    return [changed.get(task.cell.key, task) for task in due]


def _stop(cell: Cell) -> float:
    stop = cell.method_settings["stop"]
    assert isinstance(stop, float)
    return stop


def _passes(cell: Cell) -> bool:
    method = registry.load("methods", cell.method)
    return bool(method.trains and method.passes)


def trained_again(due: Sequence[Task], store: Store, known: Known) -> list[Task]:
    """Tasks whose cell was measured, and must be trained again for something new."""
    return [
        task
        for task in due
        if known.measured(task.cell.key)
        and store.trained(task.cell.key) is None
        and not _is_control(task)
    ]


def _lacking(task: Task, store: Store, known: Known, rerun: Rerun) -> tuple[Pair, ...]:
    """What is to be measured of a cell."""
    key = task.cell.key
    if rerun == "never":
        return ()
    if rerun == "missing" and known.measured(key).issuperset(task.wanted):
        return ()  # without a look into the store
    if rerun == "always":
        store.forget(key)
        return task.wanted
    trained = store.trained(key)
    failed = known.failed(key) if trained is None else trained.status != "ok"
    if failed and rerun != "failed":
        return ()
    if failed:
        store.forget(key)
        trained = None
    names = {pair: score.name_of(task.cell, *pair) for pair in task.wanted}
    scores = store.scores(key) if trained else {}
    have = known.measured(key)
    if rerun == "failed":
        lost = {name for name, rows in scores.items() if unfinished(rows)}
        if lost:
            store.forget_scores(key, lost)
        scores = {name: rows for name, rows in scores.items() if name not in lost}
        have -= known.lost(key)
    return tuple(p for p, name in names.items() if p not in have and name not in scores)


def _is_control(task: Task) -> bool:
    return not _trains(task.cell)


def _trains(cell: Cell) -> bool:
    trains: bool = registry.load("methods", cell.method).trains
    return trains
