"""Experiments -> the cells that they need, and which of them are to be run."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
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
    of_the_moment,
)
from mae_bench.records.store import Record, Store
from mae_bench.runs import own, provenance, score
from mae_bench.runs.costs import NO_COSTS
from mae_bench.runs.known import WHOLE, Known, Pair, interrupted, known, unfinished
from mae_bench.training.attached import NOTHING, Attached

Placed = own.Placed
# Of a cell of an experiment with its factor values: core-seconds.
Price = Callable[[str, Cell, Mapping[str, Setting]], float]
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
        after: Key of the task that passes it on its way, which goes before.
        attached: What looks on while it is trained.
    """

    cell: Cell
    wanted: tuple[Pair, ...]
    store: Path
    provenance: Record
    passing: tuple[Cell, ...] = ()
    after: str = ""
    attached: Attached = NOTHING


@dataclass
class Plan:
    """Which cells each experiment needs, and with which factor values.

    Args:
        rows: Experiment id -> its cells with their factor values.
        wanted: Experiment id -> its pairs (metric id, view), sorted.
        tasks: Cell key -> task; the union over experiments.
        own: What no experiment says itself; see ``own.settled``.
    """

    rows: dict[str, list[Placed]] = field(default_factory=dict)
    wanted: dict[str, tuple[Pair, ...]] = field(default_factory=dict)
    tasks: dict[str, Task] = field(default_factory=dict)
    own: tuple[str, ...] = ()

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
    takes: bool = False,
    settings: Sequence[str] = (),
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
        takes: Whether experiments take a dataset that they do not list.
        settings: Of one's own, in words ``name=value``.

    Raises:
        UsageError: The filters leave nothing to run; or see ``own.settled``.
    """
    laid = {}
    repetitions = range(TIERS[tier].seeds) if seeds is None else seeds
    for name, experiment in experiments.items():
        worlds = own.worlds_of(experiment, datasets, takes=takes)
        cells = experiment.cells(TIERS[tier], repetitions, precision, worlds, methods)
        if chosen := [*cells]:
            laid[name] = rounded(chosen, roundings)
    if not laid:
        what = ", ".join(methods) or "any method"
        where = ", ".join(datasets) or "any dataset"
        names = ", ".join(experiments)
        if datasets and not takes:
            names = f"{len(experiments)} experiments"
            where += "; one that --experiment names takes any dataset"
        raise UsageError(f"none of {names} runs {what} on {where}")
    found, words = own.settled(laid, settings, experiments)
    result, origin = Plan(own=words), provenance.code()
    for name, placed in found.items():
        result.take(name, placed, experiments[name].wanted, store, origin)
    return result


def rounded(cells: Iterable[Placed], roundings: int) -> list[Placed]:
    """Each cell that trains as often as its weights are rounded otherwise."""
    return [
        (replace(cell, rounding=rounding), at)
        for cell, at in cells
        for rounding in range(roundings if _trains(cell) else 1)
    ]


def pending(
    plan: Plan,
    store: Store,
    known: Known,
    rerun: Rerun,
    cost: Price = NO_COSTS,
) -> list[Task]:
    """The tasks that are to be run, each with what is lacking of its cell.

    Seed by seed, so that there is a whole table of the first ones early; of a seed long
    cells first, so that the last ones to finish are short, and controls last.

    What has rows is measured, whether or not the store has the cell; but not what
    failed for a reason that has passed, see ``of_the_moment``. ``always`` and
    ``failed`` make the store forget first; of a cell of which a metric failed,
    ``failed`` forgets what that metric said.
    """
    due = [
        replace(task, wanted=lacking)
        for task in plan.tasks.values()
        if (lacking := _lacking(task, store, known, rerun))
    ]
    if not due:
        return []  # without a look at what cells cost
    price = {
        cell.key: cost(name, cell, at)
        for name, placed in plan.rows.items()
        for cell, at in placed
    }

    def turn(task: Task) -> tuple[int, bool, bool, float, str]:
        key = task.cell.key
        control = _is_control(task)
        return task.cell.seed, control, bool(task.after), -price[key], key

    return sorted(_along(due, store), key=turn)


def _along(due: Sequence[Task], store: Store) -> list[Task]:
    """The tasks, of those that lie on one way the longest with the others' cells."""
    ways: dict[str, list[Task]] = {}
    for task in due:
        if _lies_on_a_way(task.cell) and not store.trained(task.cell.key):
            ways.setdefault(way(task.cell), []).append(task)
    changed = {}
    for along in ways.values():
        *others, longest = sorted(along, key=lambda t: _stop(t.cell))
        passing = tuple(task.cell for task in others)
        changed[longest.cell.key] = replace(longest, passing=passing)
        key = longest.cell.key
        changed |= {task.cell.key: replace(task, after=key) for task in others}
    return [changed.get(task.cell.key, task) for task in due]


def way(cell: Cell) -> str:
    """The key of the training on whose way a cell's end lies; its own if on none's."""
    if not _lies_on_a_way(cell):
        return cell.key
    whole = {**cell.method_settings, "stop": 1.0}
    return replace(cell, method_settings=whole).key


def _lies_on_a_way(cell: Cell) -> bool:
    return bool(cell.method_settings.get("stop")) and _passes(cell)


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
    if rerun == "always":
        store.forget(key)
        return task.wanted
    lost = known.lost(key) if rerun == "failed" else known.interrupted(key)
    have = known.measured(key) - lost
    if rerun == "missing" and have.issuperset(task.wanted):
        return ()  # without a look into the store
    trained = store.trained(key)
    if trained is None:
        failed, again = known.failed(key), WHOLE in lost
    else:
        failed = trained.status != "ok"
        again = rerun == "failed" or of_the_moment(trained.reason)
    if failed and not again:
        return ()
    if failed:
        store.forget(key)
    scores = _kept(task, store, rerun) if trained and not failed else {}
    return tuple(
        pair
        for pair in task.wanted
        if pair not in have and score.name_of(task.cell, *pair) not in scores
    )


def _kept(task: Task, store: Store, rerun: Rerun) -> Record:
    """The scores of a cell, without those that are to be measured again."""
    scores, key = store.scores(task.cell.key), task.cell.key
    fails = unfinished if rerun == "failed" else interrupted
    lost = {name for name, rows in scores.items() if fails(rows)}
    if lost:
        store.forget_scores(key, lost)
    return {name: rows for name, rows in scores.items() if name not in lost}


def _is_control(task: Task) -> bool:
    return not _trains(task.cell)


def _trains(cell: Cell) -> bool:
    trains: bool = registry.load("methods", cell.method).trains
    return trains
