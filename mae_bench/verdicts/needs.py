"""Which cells open predictions need next, in the order in which they tell most."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import pandas as pd

from mae_bench.records.schema import TIERS, Cell, Precision, Setting
from mae_bench.records.strength import MOST_SEEDS
from mae_bench.runs.estimate import TOTAL
from mae_bench.runs.plan import Placed, rounded
from mae_bench.verdicts.cells import cells_of
from mae_bench.verdicts.told import Told

Cost = Callable[[str, Cell, Mapping[str, Setting]], float]
# What more seeds may change; all else is settled, or waits for something else.
_OPEN = ("undecided", "control_open")


@dataclass(frozen=True)
class Need:
    """The cells that an open prediction lacks in its next seed.

    Args:
        key: Of the prediction.
        experiment: Its experiment's id.
        nth: How many of its seeds are there already.
        left: How many it may still have, this one included.
        weight: Which part of the way to a verdict a seed is, as far as one can tell.
        strict: Whether it is a theorem, or derived from one.
        cells: That are not measured.
    """

    key: str
    experiment: str
    nth: int
    left: int
    weight: float
    strict: bool
    cells: Sequence[Placed]


def is_open(told: Told, asked: Mapping[str, float]) -> bool:
    """Whether more seeds might change what is said of a prediction."""
    hearing = told.hearings[told.ruling_phase]
    if hearing.case is None:
        return hearing.untried  # or else there are rows that cannot be looked at
    word, _ = told.ruling(asked)
    if word == "untestable":
        # An interval shrinks with the seeds, a margin does not.
        return hearing.case.claim.form.margin < hearing.case.headroom
    return word in _OPEN or (word == "not_measured" and not hearing.case.claim.measured)


def weight(told: Told, asked: Mapping[str, float]) -> float:
    """1 / seeds that a prediction still needs, by its present mean and spread."""
    phase = told.ruling_phase
    case = told.hearings[phase].case
    n = case.claim.n_seeds if case else 0
    more = case.claim.more_seeds(asked[phase]) if case else math.nan
    least = max(1, told.prediction.form.enough - n)
    return 1 / (least if math.isnan(more) else min(max(more, least), MOST_SEEDS))


@dataclass
class Needs:
    """What predictions lack, in cells of one tier.

    Args:
        tier: Tier id.
        precision: Of every training.
        roundings: How often each is run; see ``runs.plan.rounded``.
    """

    tier: str
    precision: Precision
    roundings: int = 1
    _laid_out: dict[tuple[str, int], list[Placed]] = field(default_factory=dict)

    def of(self, told: Told, seed: int) -> list[Placed]:
        """All cells that a prediction asks for in a seed."""
        at = (told.key, seed)
        if at not in self._laid_out:
            tier, seeds = TIERS[self.tier], range(seed, seed + 1)
            cells = cells_of(told.prediction, tier, seeds, self.precision)
            self._laid_out[at] = rounded(cells, self.roundings)
        return self._laid_out[at]

    def next(
        self,
        told: Told,
        asked: Mapping[str, float],
        seeds: range,
        done: Collection[str],
    ) -> Need | None:
        """What an open prediction lacks next; None if all its seeds are there.

        Args:
            told: The prediction, and what is known of it.
            asked: Strength at which it is decided, by phase.
            seeds: Those that may judge it.
            done: Keys of the cells that its experiment has.
        """
        for nth, seed in enumerate(seeds):
            cells = [at for at in self.of(told, seed) if at[0].key not in done]
            if cells:
                return Need(
                    key=told.key,
                    experiment=told.prediction.experiment.id,
                    nth=nth,
                    left=len(seeds) - nth,
                    weight=weight(told, asked),
                    strict=told.prediction.standing != "extrapolation",
                    cells=cells,
                )
        return None


def in_order(
    needs: Iterable[Need], cost: Cost, limit: float = math.inf
) -> dict[str, list[Placed]]:
    """Cells of a round, by experiment: what is asked first stands first.

    Seed by seed; theorems before extrapolations; then the needs whose cells, as far as
    no other has asked for them, bring most of a verdict a core-second.

    Args:
        needs: One a prediction.
        cost: (experiment id, cell, factor values) -> core-seconds.
        limit: Core-seconds of the round; what does not fit is left out. The first need
            is always taken.
    """
    left, spent = list(needs), 0.0
    costs = {
        (n.experiment, cell.key): cost(n.experiment, cell, at)
        for n in left
        for cell, at in n.cells
    }
    trained: set[str] = set()
    found: dict[str, dict[str, Placed]] = {}

    def price(need: Need) -> float:
        keys = {cell.key for cell, _ in need.cells} - trained
        return sum(costs[need.experiment, key] for key in keys)

    while left:
        best = min(left, key=lambda n: (n.nth, not n.strict, price(n) / n.weight))
        left.remove(best)
        if trained and spent + price(best) > limit:
            continue
        spent += price(best)
        cells = {cell.key: (cell, at) for cell, at in best.cells}
        found[best.experiment] = {**found.get(best.experiment, {}), **cells}
        trained |= cells.keys()
    return {name: list(cells.values()) for name, cells in found.items()}


def at_most(needs: Iterable[Need], cost: Cost) -> tuple[int, float]:
    """Cells, and core-seconds, until every prediction has had all its seeds."""
    found: dict[str, tuple[int, float]] = {}
    for need in needs:
        for cell, at in need.cells:
            seeds, _ = found.get(cell.key, (0, 0.0))
            price = cost(need.experiment, cell, at)
            found[cell.key] = max(seeds, need.left), price
    cells = sum(seeds for seeds, _ in found.values())
    return cells, sum((seeds * price for seeds, price in found.values()), 0.0)


def costs(
    needs: Collection[Need], experiments: Iterable[str], cost: Cost
) -> pd.DataFrame:
    """What is open in each experiment, and in all of them with each cell once.

    Returns:
        Columns experiment, open (predictions), cells and core_minutes, both at most.
    """
    rows = []
    for name in experiments:
        mine = [need for need in needs if need.experiment == name]
        rows.append((name, len(mine), *at_most(mine, cost)))
    rows.append((TOTAL, len(needs), *at_most(needs, cost)))
    table = pd.DataFrame(rows, columns=["experiment", "open", "cells", "core_minutes"])
    return table.assign(core_minutes=table["core_minutes"] / 60)
