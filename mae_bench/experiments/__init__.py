"""Where we look: materials, grid, cost and the picture that each theory expects."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property
from itertools import product
from typing import Any

from mae_bench.datasets import Dataset
from mae_bench.experiments._chosen import Chosen
from mae_bench.experiments._published import Published
from mae_bench.methods import Method
from mae_bench.metrics import WITHOUT_VIEW, Metric
from mae_bench.records import registry
from mae_bench.records.room import furnish
from mae_bench.records.schema import (
    FULL_PRECISION,
    Cell,
    Precision,
    Setting,
    Settings,
    Tier,
    UsageError,
)


class _Joined:
    """A field that is set to the parts that are named, and gives all that are run."""

    def __set_name__(self, owner: type, name: str) -> None:
        self.room = name

    def __set__(self, experiment: Experiment, named: tuple[Any, ...]) -> None:
        vars(experiment)[self.room] = named

    def __get__(self, experiment: Experiment | None, owner: type) -> tuple[Any, ...]:
        if experiment is None:
            raise AttributeError(f"{self.room} has no default")
        named = experiment.named(self.room)
        # Looked for when asked: at import, parts may be half imported.
        joining = _joining(self.room).get(experiment._name or "", ())
        return (*named, *(part for part in joining if part not in named))


def _joined() -> Any:
    """A field of parts: those that an experiment names, then those that join it."""
    return _Joined()


@cache  # every part of the room is loaded
def _joining(room: str) -> Mapping[str, tuple[Any, ...]]:
    """Experiment id -> the parts of a room that join it.

    A method or metric that joins the leaderboard joins it at equal cost; a method that
    trains, its trials and its curves as well. Their worlds are those that they name.
    """
    found: dict[str, tuple[Any, ...]] = defaultdict(tuple)
    guests = registry.guests(room) if room != "methods" else []
    for name in registry.names(room):
        part = registry.load(room, name)
        # A guest is there to be compared; methods say so themselves.
        joined = {*part.joins, *(["leaderboard"] if name in guests else [])}
        if "leaderboard" in joined and room != "datasets":
            joined.add("leaderboard_at_cost")
            if room == "methods" and part.trains:
                joined |= {"learning_rates", "learning_curves"}
        for experiment in joined:
            found[experiment] += (part,)
    return found


@dataclass(frozen=True, kw_only=True)
class Experiment:
    """A question that trained encoders can answer.

    Datasets, methods and metrics that join it by their own word are run as well.

    Args:
        question: What is asked, in a sentence.
        expected: Theory -> the picture it expects, in words.
        datasets: Worlds.
        methods: What learns.
        metrics: What is measured.
        factors: Name of a method's or dataset's setting -> its values. A method that
            lacks a factor runs once, with that factor empty.
        without: Points of the grid that cannot be, or say nothing: by some of their
            factors, ``dataset`` and ``method`` among them.
        settings: Settings of methods and datasets that are the same in all cells, in
            every tier.
        by_world: Dataset id -> settings in that world alone, of it and of the methods
            there, in every tier.
        budgets: Tier id -> settings in place of that tier's own.
        chosen: What trials chose for methods that train, in place of those; under all
            others.
        longer: Tier id -> points of the grid, as in ``without``, each with how many
            times the steps of that budget are taken there; of several the most.
        cost: What tier ``quick`` costs, in words.
        views: What the frozen encoder is shown: ``unmasked``, ``masked``.
        drawn: Pairs (metric, target) that its figure shows.
        on_demand: Whether it is run only by who names it.
        published: Numbers that others have, whose recipe is the budget of tier
            ``paper``; what has some is run by name, or in that tier.
    """

    question: str
    expected: Mapping[str, str]
    datasets: tuple[type[Dataset], ...] = _joined()
    methods: tuple[type[Method], ...] = _joined()
    metrics: tuple[Metric, ...] = _joined()
    cost: str
    factors: Mapping[str, tuple[Setting, ...]] = field(default_factory=dict)
    without: tuple[Settings, ...] = ()
    settings: Settings = field(default_factory=dict)
    by_world: Mapping[str, Settings] = field(default_factory=dict)
    budgets: Mapping[str, Settings] = field(default_factory=dict)
    chosen: Chosen | None = None
    longer: Mapping[str, tuple[tuple[Settings, int], ...]] = field(default_factory=dict)
    views: tuple[str, ...] = ("unmasked",)
    drawn: tuple[tuple[Metric, str], ...] = ()
    on_demand: bool = False
    published: tuple[Published, ...] = ()

    @cached_property
    def _name(self) -> str | None:
        """Its id; None if the room does not have it."""
        known = (
            (n, registry.load("experiments", n)) for n in registry.names("experiments")
        )
        return next((name for name, other in known if other is self), None)

    @property
    def id(self) -> str:
        """The stem of its file.

        Raises:
            UsageError: It is not in the folder of experiments.
        """
        if self._name is None:
            raise UsageError(
                f"the experiment that asks {self.question!r} is not registered; "
                "give it a file in experiments/"
            )
        return self._name

    def named(self, room: str) -> tuple[Any, ...]:
        """The parts of a room that it names itself."""
        found: tuple[Any, ...] = vars(self)[room]
        return found

    @property
    def wanted(self) -> set[tuple[str, str]]:
        """Pairs (metric id, view); the metrics that choose their view have one."""
        return {
            (m.id, "unmasked" if m.reads in WITHOUT_VIEW else view)
            for m in self.metrics
            for view in self.views
        }

    def cells(
        self,
        tier: Tier,
        seeds: range,
        precision: Precision = FULL_PRECISION,
        worlds: tuple[type[Dataset], ...] | None = None,
        methods: Collection[str] = (),
    ) -> Iterator[tuple[Cell, dict[str, Setting]]]:
        """Every cell with its factor values; one that appears twice is given once.

        Args:
            tier: Says how much work a cell is.
            seeds: Which repetitions.
            precision: Of every training.
            worlds: In place of its own.
            methods: Ids of those that are run; all if empty.

        Raises:
            UsageError: Trials chose settings in a world, and none for a method.
        """
        seen: set[tuple[str, str]] = set()
        points = (
            dict(zip(self.factors, values, strict=True))
            for values in product(*self.factors.values())
        )
        everywhere = self.datasets if worlds is None else worlds
        learners = [
            m for m in self.methods if not methods or registry.id_of(m) in methods
        ]
        axes = product(everywhere, learners, points, seeds)
        for dataset, method, point, seed in axes:
            cell, factors = self._cell(dataset, method, point, tier, seed, precision)
            named = {**point, "dataset": cell.dataset, "method": cell.method}
            if any(_holds(where, named) for where in self.without):
                continue
            identity = (cell.key, repr(factors))
            if identity not in seen:
                seen.add(identity)
                yield cell, factors

    def _cell(
        self,
        dataset: type[Dataset],
        method: type[Method],
        point: Mapping[str, Setting],
        tier: Tier,
        seed: int,
        precision: Precision,
    ) -> tuple[Cell, dict[str, Setting]]:
        known_d = registry.settings(dataset)
        known_m = registry.settings(method)
        parts = {"dataset": registry.id_of(dataset), "method": registry.id_of(method)}
        here = self.by_world.get(parts["dataset"], {})
        fixed = {**self.settings, **here, **point}
        factors: dict[str, Setting] = {
            k: v if k in known_m or k in known_d else None for k, v in point.items()
        }
        budget = {**self._budget(tier, factors | parts)}
        if self.chosen is not None and method.trains:
            budget |= self.chosen(parts["dataset"], parts["method"], tier.name)
        cell = Cell(
            dataset=parts["dataset"],
            method=parts["method"],
            tier=tier.name,
            seed=seed,
            # The tier sizes methods only: a world is the same in every tier.
            dataset_settings=known_d | _known(fixed, known_d),
            method_settings=known_m | _known({**budget, **fixed}, known_m),
            versions={"dataset": dataset.version, "method": method.version},
            precision=precision,
        )
        return cell, factors

    def _budget(self, tier: Tier, named: Settings) -> Settings:
        """The settings that the tier gives a method at a point of the grid."""
        budget = {**tier.budget(), **self.budgets.get(tier.name, {})}
        longer = self.longer.get(tier.name, ())
        times = max((n for where, n in longer if _holds(where, named)), default=1)
        steps = budget["steps"]
        assert isinstance(steps, int)
        return {**budget, "steps": times * steps}


def _holds(where: Settings, named: Settings) -> bool:
    """Whether a point has the values that are asked for."""
    return where.items() <= named.items()


def _known(given: Settings, known: Settings) -> dict[str, Setting]:
    return {name: value for name, value in given.items() if name in known}


def asked_for(
    names: Sequence[str] | None, tier: str = "quick"
) -> dict[str, Experiment]:
    """Experiments that are named, or all of a tier that are not run by name alone.

    Raises:
        UnknownName: One that there is not.
        UsageError: Tier ``paper`` of one that has no published number.
    """
    found = registry.load_all("experiments", names)
    if tier != "paper":
        return {
            name: e
            for name, e in found.items()
            if names or not (e.on_demand or e.published)
        }
    papers = {name: e for name, e in found.items() if e.published}
    if names and (others := sorted({*found} - {*papers})):
        every = registry.load_all("experiments")
        known = ", ".join(name for name, e in every.items() if e.published)
        raise UsageError(
            f"{others[0]} reproduces no published number; tier paper is of {known}"
        )
    return papers


furnish(__name__)
