"""Run until it is decided: round after round, the cells that tell most of what is open.

A round is one more seed of every open prediction, or five minutes of it. Each is judged
before the next is planned, so that what is decided costs no more. Evidence is weighed
so that one may look after every round, see ``records.strength``.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from mae_bench.commands.console import console, tell
from mae_bench.commands.engines import Running
from mae_bench.experiments import asked_for
from mae_bench.records import folders, registry
from mae_bench.records.folders import keep_apart, own, published
from mae_bench.records.read import read_measurements, read_rows
from mae_bench.records.schema import Cell, Setting, UsageError
from mae_bench.records.store import Store
from mae_bench.runs import plan, provenance
from mae_bench.runs.costs import Costs, costs
from mae_bench.runs.known import finished, is_trained, read_beside
from mae_bench.runs.measure import Run
from mae_bench.runs.progress import clock, progress
from mae_bench.verdicts import needs
from mae_bench.verdicts.evidence import in_order
from mae_bench.verdicts.registration import registered
from mae_bench.verdicts.told import Told, asked_of, listen

if TYPE_CHECKING:
    import pandas as pd

    from mae_bench.experiments import Experiment
    from mae_bench.theories import Theory

# Seconds after which what was measured is judged.
ROUND = 300.0
# Seconds of a budget that are kept for the last judging, ranking and drawing.
END = 30.0


@dataclass
class Pursuit:
    """What is pursued, and by which means.

    Args:
        theories: By id; all, for all are decided together.
        experiments: By id: those whose predictions are pursued.
        first_seeds: Registered prediction -> its first confirmatory seed; the others
            take all seeds.
        max_seeds: Of a prediction.
        lacking: What predictions lack.
        store: Where cells are kept.
        results: Folder of the CSVs.
        devices: One worker each.
        cost: What cells like one took.
        end: When to stop, by ``time.monotonic``.
        ensembles: See ``Run.measure``.
        wrote: Called with ``results`` when rows were written while others are measured.
        runs: Makes a run of a round, see ``Run``; whose patience ends it all.
    """

    theories: Mapping[str, Theory]
    experiments: Mapping[str, Experiment]
    first_seeds: Mapping[str, int]
    max_seeds: int
    lacking: needs.Needs
    store: Store
    results: Path
    devices: Sequence[str]
    cost: Costs
    end: float
    ensembles: bool | None = None
    wrote: Callable[[Path], None] = lambda _: None
    runs: Callable[..., Run] = Run
    _rows: dict[str, pd.DataFrame] = field(default_factory=dict)
    _judged: dict[str, pd.DataFrame] = field(default_factory=dict)
    _told: list[Told] = field(default_factory=list)
    _asked: dict[str, float] = field(default_factory=dict)
    _tried: set[str] = field(default_factory=set)
    _plan: plan.Plan = field(default_factory=plan.Plan)
    # Core-seconds that cells were to take, and took.
    _foreseen: float = 0.0
    _taken: float = 0.0

    def run(self) -> Run:
        """Go on until all is decided, has had its seeds, or the time is over.

        Returns:
            All that was planned, for its failures and tables.
        """
        self._listen(read_measurements(self.results / "measurements"))
        lacking, number = self._lacking(), 0
        self._foretell(lacking)
        while chosen := self._round(lacking):
            number += 1
            open_before = {told.key for told in self._open()}
            self._measure(chosen, number)
            paths = {n: self.results / "measurements" / f"{n}.csv" for n in chosen}
            self._listen({n: read_rows(path) for n, path in paths.items()})
            self._say_settled(open_before)
            lacking = self._lacking()
        self._say_end(lacking)
        return Run(self._plan, self.store, self.results)

    def costs(self) -> pd.DataFrame:
        """What it costs at most; see ``needs.costs``. Nothing is begun."""
        self._listen(read_measurements(self.results / "measurements"))
        return needs.costs(self._lacking(), self.experiments, self._price)

    def _listen(self, changed: Mapping[str, pd.DataFrame]) -> None:
        """Judge anew what changed rows concern."""
        self._rows |= changed
        self._judged |= {name: in_order(rows) for name, rows in changed.items()}
        old = [t for t in self._told if t.prediction.experiment.id not in changed]
        self._told = listen(self.theories, self._judged, self.first_seeds, former=old)
        self._asked = asked_of(self._told)

    def _mine(self) -> list[Told]:
        """Claims that are pursued; planted nulls live on the cells of others."""
        return [
            told
            for told in self._told
            if told.prediction.experiment.id in self.experiments
            and not told.prediction.planted
        ]

    def _open(self) -> list[Told]:
        return [t for t in self._mine() if needs.is_open(t, self._asked)]

    def _lacking(self) -> list[needs.Need]:
        """What every open prediction lacks in its next seed."""
        done = {name: self._done(name) for name in self.experiments}
        found = []
        for told in self._open():
            first = self.first_seeds.get(told.key, 0)
            seeds = range(first, first + self.max_seeds)
            there = done[told.prediction.experiment.id]
            if need := self.lacking.next(told, self._asked, seeds, there):
                found.append(need)
        return found

    def _done(self, name: str) -> set[str]:
        """Cells of an experiment that were measured, or were tried just now."""
        if name not in self._rows:
            return {*self._tried}
        pairs = self.experiments[name].wanted
        versions = {m: registry.load("metrics", m).version for m, _ in pairs}
        return finished(self._rows[name], pairs, versions) | self._tried

    def _price(self, experiment: str, cell: Cell, at: Mapping[str, Setting]) -> float:
        """Core-seconds, as far as the pace so far tells; nothing for what is there."""
        there = cell.key in self._tried or is_trained(self.store, cell.key)
        pace = self._taken / self._foreseen if self._foreseen else 1.0
        return 0.0 if there else pace * self.cost(experiment, cell, at)

    def _round(self, lacking: list[needs.Need]) -> dict[str, list[plan.Placed]]:
        """The cells that are run next, by experiment; none if the time is over."""
        workers = max(1, len(self.devices))
        left = (self.end - END - time.monotonic()) * workers
        prices = [
            sum(self._price(n.experiment, *at) for at in n.cells) for n in lacking
        ]
        fitting = [n for n, p in zip(lacking, prices, strict=True) if p <= left]
        return needs.in_order(fitting, self._price, min(left, ROUND * workers))

    def _measure(self, chosen: Mapping[str, list[plan.Placed]], number: int) -> None:
        """Run a round and merge it into the rows."""
        wanted, origin = plan.Plan(), provenance.code()
        for name, cells in chosen.items():
            pairs = self.experiments[name].wanted
            for each in (wanted, self._plan):
                each.take(name, cells, pairs, self.store, origin)
        known = wanted.known(self._rows)
        due = {
            t.cell.key: t for t in plan.pending(wanted, self.store, known, "missing")
        }
        in_turn = [due[key] for key in wanted.tasks if key in due]
        in_turn.sort(key=lambda task: bool(task.after))
        foreseen = {
            cell.key: self.cost(name, cell, at)
            for name, cells in chosen.items()
            for cell, at in cells
            if cell.key in due and self.store.trained(cell.key) is None
        }
        seeds = sorted({cell.seed for cells in chosen.values() for cell, _ in cells})
        tell(f"round {number}: {len(in_turn)} cells of seed {_span(seeds)}")
        begun = time.monotonic()
        with progress(len(in_turn), console) as told:
            run = self.runs(wanted, self.store, self.results, known, told)
            run.wrote = lambda: self.wrote(self.results)
            run.measure(in_turn, self.devices, self.ensembles, self.end - END)
        self._tried |= wanted.tasks.keys()
        self.end = time.monotonic() if run.patience.over else self.end
        self._foreseen += sum(foreseen.values())
        if foreseen:
            workers = max(1, min(len(self.devices), len(in_turn)))
            self._taken += (time.monotonic() - begun) * workers

    def _foretell(self, lacking: list[needs.Need]) -> None:
        """Say what it will cost at most, before anything is begun."""
        cells, seconds = needs.at_most(lacking, self._price)
        workers = max(1, len(self.devices))
        tell(
            f"{len(self._open())} of {len(self._mine())} predictions are open; "
            f"{self.max_seeds} seeds of each are at most {cells} cells, "
            f"{seconds / 3600:.2g} core-hours, {clock(seconds / workers)} "
            f"on {workers} workers"
        )
        if (left := self.end - time.monotonic()) < seconds / workers:
            tell(f"the budget ends it in {clock(left)}")

    def _say_settled(self, open_before: set[str]) -> None:
        """Say what a round has decided."""
        still = {told.key for told in self._open()}
        for told in self._told:
            if told.key in open_before - still:
                verdict = told.verdict(self._asked)
                word = " ".join(filter(None, (verdict.verdict, verdict.kind)))
                tell(
                    f"  {told.key} {word}: {verdict.estimate:.3g} "
                    f"({verdict.ci_low:.3g} to {verdict.ci_high:.3g}), "
                    f"margin {verdict.margin:.3g}, e {verdict.e_value:.3g}, "
                    f"{verdict.n_seeds} seeds"
                )
        levels = {self._asked[told.ruling_phase] for told in self._mine()}
        asked = " or ".join(f"{level:.3g}" for level in sorted(levels))
        tell(f"  {len(still)} are open; a claim is decided at e {asked}")

    def _say_end(self, lacking: list[needs.Need]) -> None:
        """Say why it ends."""
        open_ = self._open()
        if not open_:
            tell("nothing is open any more")
            return
        why = "the budget is spent" if lacking else f"{self.max_seeds} seeds were run"
        words = Counter(told.ruling(self._asked)[0] for told in open_)
        said = ", ".join(f"{n} {word}" for word, n in sorted(words.items()))
        tell(f"{why}: {len(open_)} are open ({said})", "yellow")


def _span(seeds: Sequence[int]) -> str:
    return f"{seeds[0]}" if len(seeds) == 1 else f"{seeds[0]} to {seeds[-1]}"


def pursuit(
    wish: Running,
    store: Store,
    devices: Sequence[str],
    end: float,
    wrote: Callable[[Path], None] = lambda _: None,
    runs: Callable[..., Run] = Run,
) -> Pursuit:
    """What a wish pursues.

    Args:
        wish: What is measured.
        store: Where cells are kept.
        devices: One worker each.
        end: When to stop, by ``time.monotonic``.
        wrote: See ``Pursuit``.
        runs: Likewise.

    Raises:
        UsageError: Options that change a prediction's cells; or a folder of such cells.
    """
    given = {
        "--set": wish.settings,
        "--method": wish.methods,
        "--dataset": wish.datasets,
        "--seeds": wish.seeds,
        "--shard": wish.shard,
        "--rerun": wish.rerun.value != "missing",
    }
    if said := ", ".join(option for option, value in given.items() if value):
        raise UsageError(f"--until chooses cells and seeds itself; leave out {said}")
    results = wish.results or own(wish.tier.value)
    keep_apart(results, ())
    rules = registered(folders.registered())
    rows = read_beside(results, wish.tier.value, devices, wish.arithmetic(devices))
    return Pursuit(
        theories=registry.load_all("theories"),
        experiments=asked_for(wish.experiments),
        first_seeds={key: rule.first_seed for key, rule in rules.items()},
        max_seeds=wish.max_seeds,
        lacking=needs.Needs(wish.tier.value, wish.arithmetic(devices), wish.roundings),
        store=store,
        results=results,
        devices=devices,
        cost=costs(rows, read_measurements(published() / "measurements")),
        end=end,
        ensembles=wish.ensembles,
        wrote=wrote,
        runs=runs,
    )
