"""Cells of somebody's rows, drawn at random and run again from nothing."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from mae_bench.experiments import asked_for
from mae_bench.records import registry
from mae_bench.records.rows import Measurements
from mae_bench.records.schema import FINISHED, Precision, UsageError
from mae_bench.records.store import Store
from mae_bench.runs import provenance
from mae_bench.runs.known import Known
from mae_bench.runs.measure import Run
from mae_bench.runs.plan import Placed, Plan, pending, plan

_PAIR = ("metric", "metric_version", "view")


@dataclass(frozen=True)
class Sample:
    """Cells that were drawn.

    Args:
        keys: Theirs, in the order in which they were drawn.
        among: How many could be.
        dear: How many could not, for they trained for too long.
    """

    keys: tuple[str, ...]
    among: int
    dear: int


def draw(
    measurements: Measurements, n: int, seed: int, cost: float = math.inf
) -> Sample:
    """Draw cells that ended for good, each as likely as the next.

    Of cells of which a tenth is forged, n show one with probability 1 - 0.9^n: 88 % of
    samples of 20.

    Args:
        measurements: Experiment id -> its tidy rows.
        n: How many; all, if there are no more.
        seed: Of the draw. Whoever writes the rows must not know it.
        cost: Seconds of training, by the rows, that a cell may have taken.

    Raises:
        UsageError: There is none.
    """
    ended = [rows[rows["status"].isin(FINISHED)] for rows in measurements.values()]
    seconds = pd.concat(ended).groupby("cell")["train_seconds"].max()
    cheap = sorted(seconds.index[~(seconds > cost)])
    if not cheap:
        raise UsageError("no cell to draw: none has ended at such a cost")
    keys = random.Random(seed).sample(cheap, min(n, len(cheap)))
    return Sample(tuple(keys), len(cheap), len(seconds) - len(cheap))


def lay_out(
    measurements: Measurements,
    keys: Collection[str],
    settings: Sequence[str],
    store: Store,
) -> tuple[Plan, dict[str, str]]:
    """What is to be run of some cells, and why some cannot be.

    Args:
        measurements: Experiment id -> its tidy rows.
        keys: Of the cells.
        settings: Those of the folder, see ``records.folders.note``.
        store: Where they are to be kept.

    Returns:
        The plan; and, by its key, why a cell cannot be compared: the code names no such
        cell, or measures it with another version of a metric.

    Raises:
        UsageError: An experiment or a part that is not here.
    """
    found = Plan()
    lost: dict[str, str] = {}
    for name, every in measurements.items():
        rows = every[every["cell"].isin(keys) & (every["status"] != "missing")]
        if rows.empty:
            continue
        known = _placed(name, every, settings, store)
        there = set(rows["cell"])
        lost |= dict.fromkeys(
            there - {cell.key for cell, _ in known},
            f"{name} has no such cell here: another version of a part, or default",
        )
        pairs = rows.loc[rows["metric"] != "", [*_PAIR]].drop_duplicates()
        for row in pairs.itertuples():
            version = registry.load("metrics", str(row.metric)).version
            if version != row.metric_version:
                mine = rows["metric"] == row.metric
                why = f"{row.metric} is of version {version} here"
                lost |= dict.fromkeys(rows.loc[mine, "cell"], why)
        wanted = {(str(row.metric), str(row.view)) for row in pairs.itertuples()}
        chosen = [(cell, at) for cell, at in known if cell.key in there - set(lost)]
        if chosen:
            wanted = wanted or asked_for([name])[name].wanted
            found.take(name, chosen, wanted, store, provenance.code())
    return found, lost


def _placed(
    name: str, rows: pd.DataFrame, settings: Sequence[str], store: Store
) -> list[Placed]:
    """The cells that an experiment has where the rows are."""
    precision: Precision = rows["precision"].iloc[0]
    laid = plan(
        asked_for([name]),
        tier=rows["tier"].iloc[0],
        seeds=range(int(rows["seed"].min()), int(rows["seed"].max()) + 1),
        store=store,
        methods=sorted(rows["method"].unique()),
        datasets=sorted(rows["dataset"].unique()),
        precision=precision,
        roundings=int(rows["rounding"].max()) + 1,
        takes=True,
        settings=[word for word in settings if not word.startswith("dataset=")],
    )
    return laid.rows[name]


def run(
    laid: Plan,
    store: Store,
    results: Path,
    devices: Sequence[str],
    until: float = math.inf,
    told: Callable[[str, str, str], None] = lambda *_: None,
) -> Measurements:
    """Train and score the cells of a plan, one by one, for a folder of their own.

    Args:
        laid: The plan.
        store: Where they are kept; empty.
        results: Where their rows go; likewise.
        devices: See ``runs.launch.devices``.
        until: When to stop, by ``time.monotonic``.
        told: Called after every cell with its name, status and reason.

    Returns:
        The rows of what was run.
    """
    anew = Run(laid, store, results, told=told)
    due = pending(laid, store, Known(), "missing")
    anew.measure(due, devices, ensembles=False, until=until)
    return {
        name: rows[rows["status"] != "missing"] for name, rows in anew.tables().items()
    }
