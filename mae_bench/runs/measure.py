"""An experiment -> measurements: train what is missing, score it, write the CSV.

Cells that several experiments need are trained once. Whatever a cell came to, it has
its rows: a failure is a row with its reason, a cell that was not run says so.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

import pandas as pd

from mae_bench.records import registry
from mae_bench.records.rows import write_rows
from mae_bench.records.schema import TIERS, Cell, Measurement, Setting, Status
from mae_bench.records.store import Record, Store, Trained
from mae_bench.runs import provenance
from mae_bench.runs.launch import Job, Outcome, launch
from mae_bench.runs.plan import Plan, Task, pending, plan
from mae_bench.training.places import places

__all__ = ["Plan", "Task", "measure", "pending", "plan", "table", "work"]

# Cells of an ensemble at most: what a lost worker costs. Not yet measured on a GPU.
MEMBERS = 32


def work(task: Task, device: str) -> Trained:
    """Train and score one cell, as far as the store lacks it (in a worker)."""
    import torch

    from mae_bench.runs import score
    from mae_bench.training import parallel, train

    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))
    store, key = Store(task.store), task.cell.key
    trained = store.trained(key)
    if trained is None:
        trained, weights = parallel.train_over(task.cell, device)
        trained = _keep(task, trained, weights, device)
    if trained.status != "ok":
        return trained
    have = store.scores(key)
    lacking = [
        pair for pair in task.wanted if score.name_of(task.cell, *pair) not in have
    ]
    if lacking:
        weights, first = store.encoder(key), places(device)[0]
        dataset, method = train.restore(task.cell, trained, weights, first)
        found = score.score(task.cell, dataset, method, lacking, first)
        store.save_scores(key, have | found)
    return trained


def work_together(tasks: Sequence[Task], device: str) -> None:
    """Train at once those of some cells that can be (in a worker)."""
    import torch

    from mae_bench.training import stacked

    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))
    by_key = {task.cell.key: task for task in tasks}
    for ends in stacked.train_together([t.cell for t in tasks], places(device)[0]):
        for key, (trained, weights) in ends.items():
            _keep(by_key[key], trained, weights, device, members=len(ends))


def _keep(
    task: Task, trained: Trained, weights: bytes, device: str, members: int = 1
) -> Trained:
    """Store how a cell's training ended, with where, and in how large an ensemble."""
    origin = task.provenance | provenance.machine(device)
    if members > 1:
        origin["versions"] += f" ensemble={members}"
    trained = Trained(**(vars(trained) | {"provenance": origin}))
    Store(task.store).save_trained(task.cell.key, trained, weights)
    return trained


def _silent(cell: str, status: str, reason: str) -> None:
    del cell, status, reason


def measure(
    plan: Plan,
    due: Sequence[Task],
    *,
    store: Store,
    results: Path,
    devices: Sequence[str],
    told: Callable[[str, str, str], None] = _silent,
    ensembles: bool | None = None,
) -> dict[str, pd.DataFrame]:
    """Run what is due and write ``measurements/<experiment>.csv``.

    Args:
        plan: What is wanted.
        due: The tasks to run; see ``pending``.
        store: Where cells are kept.
        results: Folder of the CSVs.
        devices: One worker each; empty for this process.
        told: Called after every cell with its name, status and reason.
        ensembles: Whether like cells are trained at once, before all else; by default
            on GPUs alone, for on a CPU little is gained.

    Raises:
        StoreError: The store or the results cannot be written.
    """
    if ensembles is None:
        gpus = [device for device in devices if device.startswith("cuda")]
        ensembles = any(len(places(device)) == 1 for device in gpus)
    if ensembles:
        _train_ensembles(due, store, devices)
    tasks = {task.cell.key: task for task in due}
    jobs = [Job(k, t, TIERS[t.cell.tier].time_limit) for k, t in tasks.items()]
    for outcome in launch(jobs, work, devices):
        told(name_of(tasks[outcome.id].cell), *_settle(outcome, tasks, store))
    tables = {}
    for experiment, cells in plan.rows.items():
        tables[experiment] = table(experiment, cells, plan.wanted[experiment], store)
        write_rows(tables[experiment], results / "measurements" / f"{experiment}.csv")
    return tables


def _train_ensembles(due: Sequence[Task], store: Store, devices: Sequence[str]) -> None:
    """Train what can be stacked; what is lost on the way is left to train alone."""
    from mae_bench.training import stacked

    fresh = {
        task.cell.key: task
        for task in due
        if registry.load("methods", task.cell.method).trains
        and store.trained(task.cell.key) is None
    }
    jobs = []
    for cells in stacked.candidates([t.cell for t in fresh.values()], MEMBERS):
        tasks = tuple(fresh[cell.key] for cell in cells)
        limit = TIERS[cells[0].tier].time_limit * len(cells)
        jobs.append(Job(cells[0].key, tasks, limit))
    for outcome in launch(jobs, work_together, devices):
        if outcome.status != "ok":
            lost = f"an ensemble is trained one by one: {outcome.reason}"
            logging.getLogger(__name__).warning(lost)


def _settle(
    outcome: Outcome, tasks: Mapping[str, Task], store: Store
) -> tuple[Status, str]:
    """How the cell ended; a worker that was lost left no record, so it is made here."""
    if outcome.status == "ok":
        return outcome.result.status, outcome.result.reason
    origin = tasks[outcome.id].provenance
    lost = Trained(outcome.status, outcome.reason, provenance=origin)
    store.save_trained(outcome.id, lost)
    return outcome.status, outcome.reason


def name_of(cell: Cell) -> str:
    """A cell in words, for people."""
    return f"{cell.dataset}/{cell.method}/seed {cell.seed} [{cell.key}]"


def failures(plan: Plan, store: Store) -> dict[str, str]:
    """Name -> reason of every chosen cell that failed, or one of whose metrics did."""
    from mae_bench.runs import score

    found = {}
    for key in sorted(plan.chosen):
        task, trained = plan.tasks[key], store.trained(key)
        name, scores = name_of(task.cell), store.scores(key)
        if trained is not None and trained.status != "ok":
            found[name] = f"{trained.status}: {trained.reason}"
        # Rows of an older version of a metric are not of this run.
        for pair in task.wanted:
            rows = scores.get(score.name_of(task.cell, *pair), ())
            lost = [row for row in rows if row["status"] not in ("ok", "skipped")]
            found |= {f"{name} {r['metric']}": r["reason"] for r in lost}
    return found


def table(
    experiment: str,
    cells: Iterable[tuple[Cell, dict[str, Setting]]],
    wanted: Sequence[tuple[str, str]],
    store: Store,
) -> pd.DataFrame:
    """The experiment's measurements from the store, tidy and sorted."""
    rows: list[dict[str, Any]] = []
    for cell, factors in cells:
        for m in _measurements(experiment, cell, factors, wanted, store):
            row = {f.name: getattr(m, f.name) for f in fields(m)}
            row = {
                k: v
                for name, value in row.items()
                for k, v in (value.items() if name == "factors" else [(name, value)])
            }
            rows.append(row)
    frame = pd.DataFrame(rows)
    order = [c for c in frame.columns if c not in ("value", "train_seconds", "reason")]
    return frame.sort_values(order, kind="stable", ignore_index=True)


def _measurements(
    experiment: str,
    cell: Cell,
    factors: dict[str, Setting],
    wanted: Sequence[tuple[str, str]],
    store: Store,
) -> Iterable[Measurement]:
    from mae_bench.runs import score

    trained = store.trained(cell.key)
    if trained is None:
        trained = Trained("missing", "not run yet")
    origin: Record = {"commit": "", "dirty": False, "versions": "", "device": ""}
    origin |= trained.provenance or {}

    def row(status: Status, reason: str, **found: Any) -> Measurement:
        blank: Record = {
            "metric": "",
            "metric_version": 0,
            "view": "",
            "token": "",
            "target": "",
            "value": None,
            "n_eval": 0,
        }
        return Measurement(
            experiment=experiment,
            dataset=cell.dataset,
            method=cell.method,
            tier=cell.tier,
            factors=factors,
            seed=cell.seed,
            status=status,
            reason=reason,
            train_seconds=trained.train_seconds,
            cell=cell.key,
            **(blank | found),
            **origin,
        )

    if trained.status != "ok":
        yield row(trained.status, trained.reason)
        return
    scores = store.scores(cell.key)
    for metric, view in wanted:
        name = score.name_of(cell, metric, view)
        if name not in scores:
            yield row("missing", f"{metric} not measured yet", metric=metric, view=view)
        for found in scores.get(name, ()):
            yield row(**found)
