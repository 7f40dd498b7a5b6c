"""What a user says in place of an experiment: other worlds, other settings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from mae_bench.datasets import Dataset
from mae_bench.experiments import Experiment
from mae_bench.records import registry
from mae_bench.records.schema import Cell, Setting, UsageError
from mae_bench.records.settings import Changed, changed, parts_of

Placed = tuple[Cell, dict[str, Setting]]
Rows = Mapping[str, Sequence[Placed]]


def worlds_of(
    experiment: Experiment, named: Sequence[str], *, takes: bool
) -> tuple[type[Dataset], ...]:
    """The worlds that an experiment runs on.

    Args:
        experiment: Lists its own.
        named: Ids of those that are asked for; its own if empty.
        takes: Whether it takes one that it does not list in place of its own.
    """
    if named and takes:
        return tuple(registry.load("datasets", name) for name in named)
    return tuple(
        world
        for world in experiment.datasets
        if not named or registry.id_of(world) in named
    )


def settled(
    rows: Rows, words: Sequence[str], experiments: Mapping[str, Experiment]
) -> tuple[dict[str, list[Placed]], tuple[str, ...]]:
    """Cells with settings of one's own, and all that no experiment says of them.

    Args:
        rows: Experiment id -> its cells with their factor values.
        words: ``name=value``; see ``records.settings``.
        experiments: By id.

    Returns:
        The cells as they are to be; and words, sorted, that are the same for the same
        settings and worlds of one's own, and none if there are none.

    Raises:
        UsageError: A setting that cannot be, or that an experiment varies itself.
    """
    cells = [cell for placed in rows.values() for cell, _ in placed]
    own = changed(
        words,
        parts_of(
            datasets=sorted({cell.dataset for cell in cells}),
            methods=sorted({cell.method for cell in cells}),
        ),
    )
    names = {name for of in own.values() for known in of.values() for name in known}
    for experiment in rows:
        for name in names.intersection(experiments[experiment].factors):
            raise UsageError(
                f"{name} is a factor of {experiment}, which gives it several values; "
                f"leave {name} out, or choose other experiments"
            )
    found = {
        experiment: [(_with(cell, own), at) for cell, at in placed]
        for experiment, placed in rows.items()
    }
    taken = {
        f"dataset={cell.dataset}"
        for experiment, placed in rows.items()
        for cell, _ in placed
        if not _lists(experiments[experiment], cell.dataset)
    }
    return found, tuple(sorted(taken | _said(own)))


def _with(cell: Cell, own: Changed) -> Cell:
    """The cell with its own settings; a cell of none is the same."""
    return replace(
        cell,
        dataset_settings={**cell.dataset_settings, **own["datasets"][cell.dataset]},
        method_settings={**cell.method_settings, **own["methods"][cell.method]},
    )


def _lists(experiment: Experiment, world: str) -> bool:
    return world in map(registry.id_of, experiment.datasets)


def _said(own: Changed) -> set[str]:
    """Each setting once, with the room that has it."""
    return {
        f"{room.removesuffix('s')}.{name}={value}"
        for room, of in own.items()
        for known in of.values()
        for name, value in known.items()
    }
