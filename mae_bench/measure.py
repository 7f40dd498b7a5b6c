"""An experiment -> measurements: train what is missing, score it, write the CSV.

Cells that several experiments need are trained once. Whatever a cell came to, it has
its rows: a failure is a row with its reason, a cell that was not run says so.
"""

from __future__ import annotations

import os
import platform
import subprocess
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

import pandas as pd

from mae_bench import __version__, registry
from mae_bench.experiments import Experiment
from mae_bench.launch import Job, Outcome, launch
from mae_bench.rows import write_rows
from mae_bench.schema import TIERS, Cell, Measurement, Setting, Status
from mae_bench.store import Record, Store, Trained

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
        tasks: Cell key -> task; the union over experiments.
        chosen: Keys of the cells that this run may train.
    """

    rows: dict[str, list[tuple[Cell, dict[str, Setting]]]] = field(default_factory=dict)
    tasks: dict[str, Task] = field(default_factory=dict)
    chosen: set[str] = field(default_factory=set)


def provenance() -> Record:
    """Commit of the package's checkout and whether its code differs from it."""
    here = Path(__file__).resolve().parent

    def git(*words: str) -> str:
        call = ["git", "-C", str(here), *words]
        try:
            done = subprocess.run(call, capture_output=True, text=True, check=True)  # noqa: S603 (fixed words)
        except (OSError, subprocess.CalledProcessError):
            return ""
        return done.stdout.strip()

    return {
        "commit": git("rev-parse", "--short=12", "HEAD"),
        "dirty": bool(git("status", "--porcelain", "--", str(here))),
    }


def _environment(device: str) -> Record:
    import torch

    libraries = ("torch", "lightning", "numpy", "kornia")
    name = (
        torch.cuda.get_device_name(device)
        if device.startswith("cuda")
        else platform.machine()
    )
    return {
        "versions": " ".join(
            [
                f"mae_bench={__version__}",
                *(f"{lib}={version(lib)}" for lib in libraries),
            ]
        ),
        "device": f"{device.partition(':')[0]} {name}",
    }


def work(task: Task, device: str) -> Trained:
    """Train and score one cell, as far as the store lacks it (in a worker)."""
    import torch

    from mae_bench import score, train

    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))
    store, key = Store(task.store), task.cell.key
    trained = store.trained(key)
    if trained is None:
        trained, weights = train.train(task.cell, device)
        origin = task.provenance | _environment(device)
        trained = Trained(**(vars(trained) | {"provenance": origin}))
        store.save_trained(key, trained, weights)
    if trained.status != "ok":
        return trained
    have = store.scores(key)
    lacking = [
        pair for pair in task.wanted if score.name_of(task.cell, *pair) not in have
    ]
    if lacking:
        weights = store.encoder(key)
        dataset, method = train.restore(task.cell, trained, weights, device)
        found = score.score(task.cell, dataset, method, lacking, device)
        store.save_scores(key, have | found)
    return trained


def plan(
    experiments: Mapping[str, Experiment],
    *,
    tier: str,
    seeds: int | None,
    store: Store,
    methods: Sequence[str] = (),
    datasets: Sequence[str] = (),
) -> Plan:
    """Lay out the cells of experiments; empty filters admit everything."""
    result, origin = Plan(), provenance()
    repetitions = TIERS[tier].seeds if seeds is None else seeds
    for name, experiment in experiments.items():
        result.rows[name] = list(experiment.cells(TIERS[tier], repetitions))
        pairs = {(m.id, view) for m in experiment.metrics for view in experiment.views}
        for cell, _ in result.rows[name]:
            known = result.tasks.get(cell.key)
            wanted = pairs | set(known.wanted if known else ())
            task = Task(cell, tuple(sorted(wanted)), store.root, origin)
            result.tasks[cell.key] = task
            if (not methods or cell.method in methods) and (
                not datasets or cell.dataset in datasets
            ):
                result.chosen.add(cell.key)
    return result


def pending(plan: Plan, store: Store, rerun: Rerun) -> list[Task]:
    """The chosen tasks that are to be run; ``always`` and ``failed`` forget first."""
    from mae_bench import score

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
        complete = all(score.name_of(task.cell, *pair) in have for pair in task.wanted)
        if not failed and not complete:
            due.append(task)
    # Long cells first: the last ones to finish are short.
    return sorted(due, key=lambda task: (_is_control(task), task.cell.key))


def _is_control(task: Task) -> bool:
    return not registry.load("methods", task.cell.method).trains


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
) -> dict[str, pd.DataFrame]:
    """Run what is due and write ``measurements/<experiment>.csv``.

    Args:
        plan: What is wanted.
        due: The tasks to run; see ``pending``.
        store: Where cells are kept.
        results: Folder of the CSVs.
        devices: One worker each; empty for this process.
        told: Called after every cell with its name, status and reason.

    Raises:
        StoreError: The store or the results cannot be written.
    """
    tasks = {task.cell.key: task for task in due}
    jobs = [Job(k, t, TIERS[t.cell.tier].time_limit) for k, t in tasks.items()]
    for outcome in launch(jobs, work, devices):
        told(name_of(tasks[outcome.id].cell), *_settle(outcome, tasks, store))
    tables = {}
    for experiment, cells in plan.rows.items():
        tables[experiment] = table(experiment, cells, plan.tasks, store)
        write_rows(tables[experiment], results / "measurements" / f"{experiment}.csv")
    return tables


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
    found = {}
    for key in sorted(plan.chosen):
        trained, name = store.trained(key), name_of(plan.tasks[key].cell)
        if trained is not None and trained.status != "ok":
            found[name] = f"{trained.status}: {trained.reason}"
        for rows in store.scores(key).values():
            lost = [row for row in rows if row["status"] not in ("ok", "skipped")]
            found |= {f"{name} {r['metric']}": r["reason"] for r in lost}
    return found


def table(
    experiment: str,
    cells: Iterable[tuple[Cell, dict[str, Setting]]],
    tasks: Mapping[str, Task],
    store: Store,
) -> pd.DataFrame:
    """The experiment's measurements from the store, tidy and sorted."""
    rows: list[dict[str, Any]] = []
    for cell, factors in cells:
        for m in _measurements(experiment, cell, factors, tasks[cell.key], store):
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
    task: Task,
    store: Store,
) -> Iterable[Measurement]:
    from mae_bench import score

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
    for metric, view in task.wanted:
        name = score.name_of(cell, metric, view)
        if name not in scores:
            yield row("missing", f"{metric} not measured yet", metric=metric, view=view)
        for found in scores.get(name, ()):
            yield row(**found)
