"""Experiments -> the cells that they need, and which of them are to be run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from mae_bench.experiments import Experiment
from mae_bench.records import registry
from mae_bench.records.schema import TIERS, Cell, Setting, UsageError
from mae_bench.records.store import Record, Store
from mae_bench.runs import provenance

Rerun = Literal["always", "failed", "missing", "never"]


@dataclass(frozen=True)
class Task:
    """A cell, and what is to be measured on it.

    Args:
        cell: What is trained.
        wanted: Pairs (metric id, view).
        store: Folder of the store.
        provenance: commit and dirty flag of the running code.
    """

    cell: Cell
    wanted: tuple[tuple[str, str], ...]
    store: Path
    provenance: Record


@dataclass
class Plan:
    """Which cells each experiment needs, and with which factor values.

    Args:
        rows: Experiment id -> its cells with their factor values.
        wanted: Experiment id -> its pairs (metric id, view), sorted.
        tasks: Cell key -> task; the union over experiments.
        chosen: Keys of the cells that this run may train.
    """

    rows: dict[str, list[tuple[Cell, dict[str, Setting]]]] = field(default_factory=dict)
    wanted: dict[str, tuple[tuple[str, str], ...]] = field(default_factory=dict)
    tasks: dict[str, Task] = field(default_factory=dict)
    chosen: set[str] = field(default_factory=set)


def plan(
    experiments: Mapping[str, Experiment],
    *,
    tier: str,
    seeds: int | None,
    store: Store,
    methods: Sequence[str] = (),
    datasets: Sequence[str] = (),
) -> Plan:
    """Lay out the cells of experiments.

    Args:
        experiments: By id.
        tier: Tier id.
        seeds: Repetitions; the tier's own if None.
        store: Where cells are kept.
        methods: Ids of those that may be run; all if empty.
        datasets: Likewise.

    Raises:
        UsageError: The filters leave nothing to run.
    """
    result, origin = Plan(), provenance.code()
    repetitions = TIERS[tier].seeds if seeds is None else seeds
    for name, experiment in experiments.items():
        result.rows[name] = list(experiment.cells(TIERS[tier], repetitions))
        pairs = experiment.wanted
        result.wanted[name] = tuple(sorted(pairs))
        for cell, _ in result.rows[name]:
            known = result.tasks.get(cell.key)
            wanted = pairs | set(known.wanted if known else ())
            task = Task(cell, tuple(sorted(wanted)), store.root, origin)
            result.tasks[cell.key] = task
            if (not methods or cell.method in methods) and (
                not datasets or cell.dataset in datasets
            ):
                result.chosen.add(cell.key)
    if not result.chosen:
        what = ", ".join(methods) or "any method"
        where = ", ".join(datasets) or "any dataset"
        raise UsageError(f"none of {', '.join(experiments)} runs {what} on {where}")
    return result


def pending(plan: Plan, store: Store, rerun: Rerun) -> list[Task]:
    """The chosen tasks that are to be run; ``always`` and ``failed`` forget first.

    Of a cell of which a metric failed, ``failed`` forgets what that metric said.
    """
    from mae_bench.runs import score

    due = []
    for key in sorted(plan.chosen):
        task, trained = plan.tasks[key], store.trained(key)
        failed = trained is not None and trained.status != "ok"
        if rerun == "never":
            continue
        if rerun == "always" or (rerun == "failed" and failed):
            store.forget(key)
            trained, failed = None, False
        have = store.scores(key) if trained and not failed else {}
        if rerun == "failed" and any(map(_failed, have.values())):
            have = {name: rows for name, rows in have.items() if not _failed(rows)}
            store.save_scores(key, have)
        complete = all(score.name_of(task.cell, *pair) in have for pair in task.wanted)
        if not failed and not complete:
            due.append(task)
    # Long cells first: the last ones to finish are short.
    return sorted(due, key=lambda task: (_is_control(task), task.cell.key))


def _failed(rows: list[Record]) -> bool:
    return any(row["status"] not in ("ok", "skipped", "collapsed") for row in rows)


def _is_control(task: Task) -> bool:
    return not registry.load("methods", task.cell.method).trains
