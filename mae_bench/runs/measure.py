"""A plan -> measurements: train what is missing, score it, merge it into the CSVs.

Cells that several experiments need are trained once. Whatever a cell came to, it has
its rows: a failure is a row with its reason, a cell that was not run says so. Rows that
were not asked for stay as they are.
"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Collection, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path

import pandas as pd

from mae_bench.records import registry
from mae_bench.records.merge import merge
from mae_bench.records.read import read_rows, read_words
from mae_bench.records.schema import Cell, Status
from mae_bench.records.store import Record, Store, Trained
from mae_bench.runs import logs, provenance
from mae_bench.runs.costs import time_limit
from mae_bench.runs.engines import Launch
from mae_bench.runs.export import Sources, export
from mae_bench.runs.known import Known, Pair
from mae_bench.runs.launch import launch
from mae_bench.runs.patience import Patience
from mae_bench.runs.plan import Plan, Task
from mae_bench.runs.worker import Job, Outcome
from mae_bench.training.places import places, reading_place

# Cells of an ensemble at most: what a lost worker costs. Not yet measured on a GPU.
MEMBERS = 32
# Seconds after which what is measured is written, so that it can be looked at.
WRITE_EVERY = 60.0


def work(task: Task, device: str) -> Trained:
    """Train and score one cell, as far as the store lacks it (in a worker)."""
    with logs.kept(task.store, task.cell.key, name_of(task.cell), device):
        return _work(task, device)


def _work(task: Task, device: str) -> Trained:
    from mae_bench.runs import score
    from mae_bench.training import parallel, threads, train

    threads.as_told()
    store, key = Store(task.store), task.cell.key
    trained = store.trained(key)
    if trained is None:

        def keep(cell: Cell, trained: Trained, weights: bytes) -> None:
            _keep(replace(task, cell=cell), trained, weights, device)

        path = store.unfinished(key)
        made = parallel.train_over(
            task.cell, device, task.passing, keep, path, task.attached
        )
        trained = _keep(task, *made, device)
    if trained.status != "ok":
        return trained
    if lacking := _unscored(task, store):
        weights, first = store.encoder(key), reading_place(device)
        frozen = train.restore(task.cell, trained, weights, first)
        found = score.score_each(task.cell, *frozen, lacking, first, trained.curve)
        for name, rows in found:
            # Kept one by one: a metric that kills its process costs itself alone.
            store.add_scores(key, {name: rows})
    return trained


def _unscored(task: Task, store: Store) -> list[Pair]:
    """What the store lacks of a task, in the order in which it is measured."""
    from mae_bench.runs import score

    have = store.scores(task.cell.key)
    return [p for p in task.wanted if score.name_of(task.cell, *p) not in have]


def work_together(tasks: Sequence[Task], device: str) -> None:
    """Train at once those of some cells that can be (in a worker)."""
    from mae_bench.training import stacked, threads

    threads.as_told()
    by_key = {task.cell.key: task for task in tasks}
    for ends in stacked.train_together([t.cell for t in tasks], places(device)[0]):
        for key, (trained, weights) in ends.items():
            _keep(by_key[key], trained, weights, device, members=len(ends))


def _keep(
    task: Task, trained: Trained, weights: bytes, device: str, members: int = 1
) -> Trained:
    """Store how a cell's training ended, with where, and in how large an ensemble."""
    origin = task.provenance | provenance.machine(device)
    if node := origin.pop("node", ""):
        origin["versions"] += f" node={node}"
    if members > 1:
        origin["versions"] += f" ensemble={members}"
    trained = Trained(**(vars(trained) | {"provenance": origin}))
    Store(task.store).save_trained(task.cell.key, trained, weights)
    return trained


@dataclass
class Run:
    """A run of a plan: what is known before it, and what became of its cells.

    Args:
        plan: What is wanted.
        store: Where cells are kept.
        results: Folder of the CSVs.
        known: What the rows there say already.
        told: Called after every cell with its name, status and reason.
        wrote: Called when rows were written, while others are still measured.
        launch: Who runs jobs; see ``engines.Engine``. By default processes here.
        patience: How many cells may fail.
        lost: Cell key -> why it was not trained, or not scored.
        anew: Cell key -> its pairs that this run measured.
        there: Experiment id -> the rows of its file, as far as they are known.
    """

    plan: Plan
    store: Store
    results: Path
    known: Known = field(default_factory=Known)
    told: Callable[[str, str, str], None] = lambda *_: None
    wrote: Callable[[], None] = lambda: None
    launch: Launch | None = None
    patience: Patience = field(default_factory=Patience)
    lost: dict[str, str] = field(default_factory=dict)
    anew: dict[str, tuple[Pair, ...]] = field(default_factory=dict)
    there: dict[str, pd.DataFrame] = field(default_factory=dict)

    def measure(
        self,
        due: Sequence[Task],
        devices: Sequence[str],
        ensembles: bool | None = None,
        until: float = math.inf,
    ) -> None:
        """Run what is due and merge it into ``measurements/<experiment>.csv``.

        Args:
            due: The tasks to run; see ``pending``.
            devices: One worker each; empty for this process.
            ensembles: Whether like cells are trained at once, before all else; by
                default on GPUs alone, for on a CPU little is gained.
            until: When to stop, see ``launch``; what was measured is written.

        Raises:
            StoreError: The store or the results cannot be written.
        """
        run = self.launch or launch
        if ensembles is None:
            gpus = [device for device in devices if device.startswith("cuda")]
            ensembles = any(len(places(device)) == 1 for device in gpus)
        if ensembles:
            _train_ensembles(due, self.store, devices, until, run)
        written, waiting = time.monotonic(), list(due)
        while waiting and time.monotonic() < until and not self.patience.over:
            tasks, waiting = {task.cell.key: task for task in waiting}, []
            jobs = [
                Job(key, task, time_limit(task.cell), task.after)
                for key, task in tasks.items()
            ]
            with closing(run(jobs, work, devices, until)) as outcomes:
                for outcome in outcomes:
                    task = tasks[outcome.id]
                    if self._goes_on(outcome, task):
                        waiting.append(task)
                        continue
                    self.anew[outcome.id] = task.wanted
                    self.told(name_of(task.cell), *self._end(outcome))
                    if self.patience.over:
                        break
                    if time.monotonic() - written > WRITE_EVERY:
                        self.write(self.anew)
                        self.wrote()
                        written = time.monotonic()
        self.write(self.plan.tasks)

    def _goes_on(self, outcome: Outcome, task: Task) -> bool:
        """Whether a cell whose worker was lost has something left to measure.

        A job that failed left no record, so it is made here: of the training, or, where
        that has ended, of the metric that was being measured when the worker was lost.
        """
        if outcome.status == "ok":
            return False
        trained = self.store.trained(outcome.id)
        if trained is None:
            end = Trained(outcome.status, outcome.reason, provenance=task.provenance)
            self.store.save_trained(outcome.id, end)
            return False
        lacking = _unscored(task, self.store)
        if not outcome.lost or trained.status != "ok" or not lacking:
            return False
        self.store.add_scores(outcome.id, _failed(task.cell, lacking[0], outcome))
        return len(lacking) > 1

    def _end(self, outcome: Outcome) -> tuple[Status, str]:
        """How a cell ended, in a status and its reason."""
        trained: Trained | None = outcome.result or self.store.trained(outcome.id)
        status, reason = outcome.status, outcome.reason
        if trained and (status == "ok" or trained.status != "ok"):
            status, reason = trained.status, trained.reason
        elif not outcome.lost:
            self.lost[outcome.id] = f"{status}: {reason}"
        self.patience.note(status)
        logs.note(self.store.root, outcome.id, f"-- {status}: {reason}".rstrip(": "))
        return status, reason

    def write(self, keys: Collection[str]) -> None:
        """Merge what is known of some cells into the files of all experiments."""
        sources = Sources(self.store, self.known, self.anew, self.lost)
        for experiment, cells in self.plan.rows.items():
            chosen = [(cell, at) for cell, at in cells if cell.key in keys]
            fresh = export(experiment, chosen, self.plan.wanted[experiment], sources)
            if len(fresh):
                merge(fresh, self.path(experiment))
                self.there.pop(experiment, None)

    def path(self, experiment: str) -> Path:
        """The file of an experiment."""
        return self.results / "measurements" / f"{experiment}.csv"

    def tables(self) -> dict[str, pd.DataFrame]:
        """Experiment id -> all the rows of its file, whoever measured them."""
        return {name: read_rows(self.path(name)) for name in self.plan.rows}

    def failures(self, *, missing: bool = True) -> dict[str, str]:
        """Name -> reason of every cell that failed, or of which a metric did.

        Args:
            missing: Whether what was not measured is a failure.
        """
        fine = ["ok", "skipped"] + ["missing"] * (not missing)
        found = {name_of(self.plan.tasks[k].cell): why for k, why in self.lost.items()}
        for experiment in self.plan.rows:
            rows = self.there.get(experiment)
            rows = read_words(self.path(experiment)) if rows is None else rows
            metrics = {metric for metric, _ in self.plan.wanted[experiment]} | {""}
            asked = rows["cell"].isin(self.plan.tasks) & rows["metric"].isin(metrics)
            said = rows[["cell", "metric", "status", "reason"]]
            bad = said[asked & ~rows["status"].isin(fine)].astype(object)
            for row in bad.sort_values("cell").to_dict("records"):
                name = name_of(self.plan.tasks[row["cell"]].cell)
                whole = f"{row['status']}: {row['reason']}"
                of = f"{name} {row['metric']}".rstrip()
                found[of] = row["reason"] if row["metric"] else whole
        return found


def _failed(cell: Cell, pair: Pair, outcome: Outcome) -> dict[str, list[Record]]:
    """What a store keeps of a metric that took its process along."""
    from mae_bench.runs import score

    metric, view = pair
    version = registry.load("metrics", metric).version
    head = {"metric": metric, "metric_version": version, "view": view}
    end = {"status": outcome.status, "reason": outcome.reason}
    return {score.name_of(cell, *pair): [head | end]}


def name_of(cell: Cell) -> str:
    """A cell in words, for people."""
    return f"{cell.dataset}/{cell.method}/seed {cell.seed} [{cell.key}]"


def _train_ensembles(
    due: Sequence[Task],
    store: Store,
    devices: Sequence[str],
    until: float,
    run: Launch,
) -> None:
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
        limit = sum(map(time_limit, cells))
        jobs.append(Job(cells[0].key, tasks, limit))
    for outcome in run(jobs, work_together, devices, until):
        if outcome.status != "ok":
            lost = f"an ensemble is trained one by one: {outcome.reason}"
            logging.getLogger(__name__).warning(lost)
