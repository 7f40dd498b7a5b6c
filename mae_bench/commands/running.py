"""Train and score what a wish asks for: all of it, or until it is decided."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from mae_bench.commands.console import console, tell
from mae_bench.commands.options import Measuring
from mae_bench.records import registry
from mae_bench.records.folders import own

if TYPE_CHECKING:
    from mae_bench.records.store import Store
    from mae_bench.runs.measure import Run
    from mae_bench.runs.plan import Plan, Task


def run_of(wish: Measuring) -> Run:
    """Train and score what is missing of a wish, and merge it into the rows.

    Raises:
        UsageError: What is wished for cannot be.
        StoreError: The store or the results cannot be written.
    """
    from mae_bench.records.merge import check_writable
    from mae_bench.records.store import Store
    from mae_bench.runs import launch

    end = math.inf if wish.budget is None else time.monotonic() + wish.budget
    store, results = Store(wish.store, tell), wish.results or own(wish.tier.value)
    devices = launch.devices(wish.device, wish.jobs)
    if wish.until is not None:
        from mae_bench.commands.pursuit import pursuit

        pursued = pursuit(wish, store, results, devices, end)
        store.check_writable()
        check_writable(results)
        return pursued.run()
    return _all(wish, store, results, devices, end)


def _all(
    wish: Measuring, store: Store, results: Path, devices: Sequence[str], end: float
) -> Run:
    """All cells of the experiments, or those that filters leave."""
    from mae_bench.records.merge import check_writable
    from mae_bench.records.read import read_measurements
    from mae_bench.runs import launch, measure, plan
    from mae_bench.runs.progress import progress

    wanted = plan.plan(
        registry.load_all("experiments", wish.experiments),
        tier=wish.tier.value,
        seeds=wish.seeds,
        store=store,
        precision=launch.precision(devices),
        roundings=wish.roundings,
        methods=_known("methods", wish.methods),
        datasets=_known("datasets", wish.datasets),
    )
    known = wanted.known(read_measurements(results / "measurements"))
    store.check_writable()
    check_writable(results)
    due = plan.pending(wanted, store, known, wish.rerun.value)
    _foretell(wanted, due, plan.trained_again(due, store, known), len(devices))
    with progress(len(due), console) as told:
        run = measure.Run(wanted, store, results, known, told)
        run.measure(due, devices, wish.ensembles, end)
    if time.monotonic() >= end:
        tell("the budget is spent; what was measured is written", "yellow")
    return run


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
    tell(f"{len(wanted.tasks)} cells, {len(due)} to run, {workers} workers")
    if again:
        metrics = sorted({metric for task in again for metric, _ in task.wanted})
        tell(
            f"{len(again)} cells must be trained again for {len(metrics)} new metrics "
            f"({', '.join(metrics)}): their rows are here, their weights are not",
            "yellow",
        )
