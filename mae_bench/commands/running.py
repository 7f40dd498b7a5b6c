"""Train and score what a wish asks for, or say what that would cost."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mae_bench.commands.console import console, tell
from mae_bench.commands.engines import Running, Weights, opened
from mae_bench.records import registry
from mae_bench.records.folders import keep_apart, note, own

if TYPE_CHECKING:
    import pandas as pd

    from mae_bench.records.rows import Measurements
    from mae_bench.records.store import Store
    from mae_bench.runs.costs import Costs
    from mae_bench.runs.engines import Engine
    from mae_bench.runs.known import Known
    from mae_bench.runs.measure import Run
    from mae_bench.runs.plan import Plan, Rerun, Task


def _silent(results: Path) -> None:
    del results


@dataclass(frozen=True)
class _Laid:
    """A wish, laid out.

    Args:
        plan: Its cells.
        results: Where their rows go.
        rows: Those that are there.
        tier: Of the cells.
        rerun: Which cells are run again.
    """

    plan: Plan
    results: Path
    rows: Measurements
    tier: str
    rerun: Rerun

    @cached_property
    def known(self) -> Known:
        """What the rows say of the cells."""
        return self.plan.known(self.rows)

    @cached_property
    def cost(self) -> Costs:
        """What cells like them took; the published are read if it is asked."""
        from mae_bench.runs.costs import costs, published

        # With settings of one's own a cell takes another time than one of its name.
        others = {} if self.plan.own else published(self.plan.rows, self.tier)
        return costs(self.rows, others)

    def of_papers(self) -> bool:
        """Whether others have published numbers of it."""
        found = registry.load_all("experiments", [*self.plan.rows])
        return any(experiment.published for experiment in found.values())

    def due(self, store: Store) -> list[Task]:
        """What is to be run."""
        from mae_bench.runs import plan

        def cost(*of: Any) -> float:
            return self.cost(*of)

        return plan.pending(self.plan, store, self.known, self.rerun, cost)


def run_of(wish: Running, wrote: Callable[[Path], None] = _silent) -> Run:
    """Train and score what is missing of a wish, and merge it into the rows.

    Args:
        wish: What is measured.
        wrote: Called with the folder when rows were written, while others are still
            measured.

    Raises:
        UsageError: What is wished for cannot be.
        StoreError: The store or the results cannot be written.
    """
    _check_names(wish)
    from mae_bench.runs import measure
    from mae_bench.runs.attach import attaching
    from mae_bench.runs.away import launcher
    from mae_bench.runs.patience import Patience

    end = math.inf if wish.budget is None else time.monotonic() + wish.budget
    patience, attached = Patience(wish.max_failures), wish.attached()
    if attached.loggers or attached.callbacks:
        wish = replace(wish, ensembles=False)  # they look at one training each
    with _engine(wish) as engine, _store(wish) as store:
        launch = launcher(engine, store) if engine.away else engine.launch
        launch = attaching(launch, attached)
        runs = partial(measure.Run, launch=launch, patience=patience)
        ran = _ran(wish, store, engine, runs, end, wrote)
    if patience.over:
        tell(
            f"stopped at {patience.failed} failures, as asked; what was measured is "
            "written, the rest is run when asked again",
            "yellow",
        )
    return ran


def _ran(
    wish: Running,
    store: Store,
    engine: Engine,
    runs: Callable[..., Run],
    end: float,
    wrote: Callable[[Path], None],
) -> Run:
    """Lay out a wish, see that it can be, and run it."""
    from mae_bench.records.merge import check_writable
    from mae_bench.records.store import StoreError, Untouched
    from mae_bench.runs.trial import trial

    devices = engine.devices(wish.device, wish.jobs)
    if wish.until is not None:
        from mae_bench.commands.pursuit import pursuit

        pursued = pursuit(wish, store, devices, end, wrote, runs)
        store.check_writable()
        store.sweep()
        check_writable(pursued.results)
        return pursued.run()
    laid = _lay_out(wish, devices, store.root)
    if laid.plan.own or wish.datasets or laid.of_papers():
        # Who names a world, or asks for a paper's, may be without its pictures.
        trial(laid.due(Untouched(store.root)))
    try:
        store.check_writable()
    except StoreError:
        if laid.due(Untouched(store.root)):
            raise
        # A store that has all need not be written to.
    store.sweep()
    check_writable(laid.results)
    note(laid.results, laid.plan.own)
    return _run(wish, laid, store, devices, runs, end, wrote)


def _run(
    wish: Running,
    laid: _Laid,
    store: Store,
    devices: Sequence[str],
    runs: Callable[..., Run],
    end: float,
    wrote: Callable[[Path], None],
) -> Run:
    """Run what is laid out, as far as the time goes."""
    from mae_bench.runs import plan
    from mae_bench.runs.progress import progress

    due = laid.due(store)
    if wish.shard is not None:
        tell(f"shard {wish.shard}")
    _foretell(laid.plan, due, plan.trained_again(due, store, laid.known), len(devices))
    with progress(len(due), console) as told:
        run = runs(laid.plan, store, laid.results, laid.known, told)
        run.there = dict(laid.rows)
        run.wrote = lambda: wrote(laid.results)
        run.measure(due, devices, wish.ensembles, end)
    if time.monotonic() >= end:
        tell("the budget is spent; what was measured is written", "yellow")
    return run


@contextmanager
def _engine(wish: Running) -> Iterator[Engine]:
    """Who runs what is wished, if that has a meaning; else nothing is started."""
    from mae_bench.experiments import asked_for
    from mae_bench.runs import shards

    asked_for(wish.experiments, wish.tier.value)
    _known("methods", wish.methods)
    _known("datasets", wish.datasets)
    if wish.shard is not None:
        shards.shard_of(wish.shard)
    with opened(wish.on, wish.slurm or (), wish.store) as engine:
        yield engine


@contextmanager
def _store(wish: Running) -> Iterator[Store]:
    """Where cells are kept; for this run alone, but for their logs, if not for long."""
    from mae_bench.records.scratch import folder_for
    from mae_bench.records.store import Store
    from mae_bench.runs import logs

    if wish.keep_weights is Weights.store:
        yield Store(wish.store, tell)
        return
    Store(wish.store).check_writable()
    with folder_for(wish.store / "passing") as folder:
        try:
            yield Store(folder, tell)
        finally:
            logs.move(folder, wish.store)


def cost_of(wish: Running) -> pd.DataFrame:
    """What a wish would cost, a row an experiment; nothing is begun, or written.

    Returns:
        See ``runs.estimate``; of a run until it is decided ``Pursuit.costs``.

    Raises:
        UsageError: What is wished for cannot be.
    """
    _check_names(wish)
    from mae_bench.records.store import Untouched
    from mae_bench.runs.estimate import estimate

    store = Untouched(wish.store)
    with _engine(wish) as engine:
        devices = engine.devices(wish.device, wish.jobs)
    if wish.until is not None:
        from mae_bench.commands.pursuit import pursuit

        return pursuit(wish, store, devices, math.inf).costs()
    laid = _lay_out(wish, devices, store.root)
    return estimate(laid.plan, laid.due(store), store, laid.cost)


def _lay_out(wish: Running, devices: Sequence[str], store: Path) -> _Laid:
    """All cells of the experiments, or those that filters leave."""
    from mae_bench.experiments import asked_for
    from mae_bench.records.store import Untouched
    from mae_bench.runs import plan, shards
    from mae_bench.runs.known import read_beside

    experiments = asked_for(wish.experiments, wish.tier.value)
    precision = wish.arithmetic(devices)
    wanted = plan.plan(
        experiments,
        tier=wish.tier.value,
        seeds=wish.seeds,
        store=Untouched(store),
        precision=precision,
        roundings=wish.roundings,
        methods=_known("methods", wish.methods),
        datasets=_known("datasets", wish.datasets),
        takes=bool(wish.experiments),
        settings=wish.settings or (),
    )
    if wish.shard is not None:
        wanted = shards.share(wanted, shards.shard_of(wish.shard))
    results = wish.results or own(wish.tier.value, wanted.own)
    keep_apart(results, wanted.own)
    rows = read_beside(results, wish.tier.value, devices, precision)
    return _Laid(wanted, results, rows, wish.tier.value, wish.rerun.value)


def _check_names(wish: Running) -> None:
    """Refuse a wrong name before anything heavy is imported."""
    registry.check("experiments", wish.experiments or ())
    registry.check("methods", wish.methods or ())
    registry.check("datasets", wish.datasets or ())


def _known(room: str, names: Sequence[str] | None) -> list[str]:
    """Names that are asked for, if any.

    Raises:
        UnknownName: One that no part has.
    """
    return list(registry.load_all(room, names)) if names else []


def _foretell(
    wanted: Plan, due: Sequence[Task], again: Sequence[Task], workers: int
) -> None:
    """Say what will be done."""
    if wanted.own:
        tell(f"settings of your own: {' '.join(wanted.own)}")
    tell(f"{len(wanted.tasks)} cells, {len(due)} to run, {workers} workers")
    if again:
        metrics = sorted({metric for task in again for metric, _ in task.wanted})
        tell(
            f"{len(again)} cells must be trained again for {len(metrics)} new metrics "
            f"({', '.join(metrics)}): their rows are here, their weights are not",
            "yellow",
        )
