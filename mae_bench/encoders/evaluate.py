"""An encoder from elsewhere: probed, measured, placed in the leaderboard beside ours.

It is shown the worlds and the images that our methods are probed on, seed by seed, so
that differences are paired.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path

import pandas as pd
import torch

from mae_bench.datasets import Dataset
from mae_bench.encoders.outsider import Outsider, Reader
from mae_bench.experiments.leaderboard import LEADERBOARD
from mae_bench.records import registry
from mae_bench.records.faults import in_one_line
from mae_bench.records.merge import write_rows
from mae_bench.records.read import read_rows
from mae_bench.records.rows import COLUMNS
from mae_bench.records.schema import (
    Cell,
    Measurement,
    Setting,
    Settings,
    Track,
    UsageError,
)
from mae_bench.records.settings import changed, parts_of
from mae_bench.records.store import Record
from mae_bench.runs import provenance
from mae_bench.runs.score import score
from mae_bench.training.threads import threads
from mae_bench.training.train import generator
from mae_bench.verdicts.rank import rank

EXPERIMENT = "leaderboard"
TRIAL = 2  # images that a network is tried on before anything is measured


@dataclass(frozen=True)
class Entrant:
    """An encoder from elsewhere under the name that it has in the leaderboard.

    Args:
        name: Letters, digits, ``.``, ``_`` and ``-``; not one of ours.
        reader: The network.
        settings: What tells it from others: its source and the digest of its weights.
        track: What it was told while it learned.

    Raises:
        UsageError: A name that cannot be.
    """

    name: str
    reader: Reader
    settings: Settings
    track: Track = Outsider.track

    def __post_init__(self) -> None:
        """Check the name."""
        if not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.-]*", self.name):
            raise UsageError(f"name {self.name!r}: use letters, digits, . _ and -")
        if self.name in registry.names("methods"):
            raise UsageError(
                f"name {self.name!r} is one of ours; choose another with --name"
            )


def worlds_of(
    datasets: Sequence[str], settings: Sequence[str] = ()
) -> dict[str, dict[str, Setting]]:
    """Every setting of each dataset, the leaderboard's changed by words ``name=value``.

    Raises:
        UsageError: An unknown dataset, a setting that none of them has, or a value of
            the wrong kind.
    """
    own = changed(settings, parts_of(datasets=datasets))["datasets"]
    return {name: {**of_ours(name), **own[name]} for name in datasets}


def of_ours(dataset: str) -> dict[str, Setting]:
    """Every setting of a dataset as the leaderboard has it."""
    known = registry.settings(registry.load("datasets", dataset))
    here = LEADERBOARD.by_world.get(dataset, {})
    return known | {name: value for name, value in here.items() if name in known}


def measured_worlds(results: Path, tier: str) -> list[str]:
    """Datasets of the leaderboard that rows of ours are on; all of it if none is."""
    path = results / "measurements" / f"{EXPERIMENT}.csv"
    rows = read_rows(path) if path.exists() else pd.DataFrame(columns=list(COLUMNS))
    there = {*rows.loc[rows["tier"] == tier, "dataset"]}
    worlds = [registry.id_of(world) for world in LEADERBOARD.datasets]
    return [world for world in worlds if world in there] or worlds


def cell_of(
    entrant: Entrant, dataset: str, settings: Settings, tier: str, seed: int
) -> Cell:
    """The cell that our methods have on that world, with the entrant in their place."""
    version = registry.load("datasets", dataset).version
    return Cell(
        dataset=dataset,
        method=entrant.name,
        tier=tier,
        seed=seed,
        dataset_settings=dict(settings),
        method_settings=dict(entrant.settings),
        versions={"dataset": version, "method": Outsider.version},
    )


def build(cell: Cell, entrant: Entrant) -> tuple[Dataset, Outsider]:
    """The cell's world, and the entrant before it.

    Raises:
        UsageError: A world that cannot be with these settings.
    """
    world, stream = registry.load("datasets", cell.dataset), cell.stream("world")
    try:
        dataset = world(generator(stream), **cell.dataset_settings)
    except ValueError as error:
        raise UsageError(f"{cell.dataset}: {error}") from error
    return dataset, Outsider(dataset, generator(0), entrant.reader)


def attempt(entrant: Entrant, cell: Cell, device: str) -> None:
    """Show the entrant two images of a world.

    Raises:
        UsageError: It fails, or gives what no probe can read.
    """
    dataset, method = build(cell, entrant)
    batch = dataset.split("test", TRIAL, generator(0, device))
    shape = list(entrant.reader.adapt(batch.images).shape)
    try:
        with torch.inference_mode():
            method.features(batch)
    except UsageError as error:
        raise UsageError(f"{entrant.name}: {error}") from error
    except Exception as error:
        # It is somebody else's network, which may raise anything.
        raise UsageError(
            f"{entrant.name} cannot read images {shape}: {in_one_line(error)}"
        ) from error


def evaluate(
    entrant: Entrant,
    worlds: Mapping[str, Settings],
    *,
    tier: str,
    seeds: range,
    device: str,
    folder: Path,
    told: Callable[[str], None] = lambda _: None,
) -> Path:
    """Measure a entrant as the leaderboard measures ours; write its measurements.

    Args:
        entrant: The encoder.
        worlds: Dataset -> all its settings; see ``worlds_of``.
        tier: Says how many images are probed.
        seeds: Which repetitions, of the world and of the images: nothing is trained.
        device: Where images are drawn and probes fitted.
        folder: ``measurements/<name>.csv`` is written there.
        told: Called with a line after every cell.

    Returns:
        The file.

    Raises:
        UsageError: The entrant cannot be asked; nothing is written then.
        StoreError: The disk does not take it.
    """
    cells = [
        cell_of(entrant, dataset, settings, tier, seed)
        for dataset, settings in worlds.items()
        for seed in seeds
    ]
    for cell in cells:
        if cell.seed == seeds[0]:
            attempt(entrant, cell, device)
    origin = provenance.code() | provenance.machine(device)
    rows: list[Record] = []
    for done, cell in enumerate(cells, 1):
        entrant.reader.begin()
        with threads(1):
            made = build(cell, entrant)
            found = score(cell, *made, sorted(LEADERBOARD.wanted), device)
        rows += _measurements(cell, found, origin)
        told(f"{done}/{len(cells)} {cell.dataset} seed {cell.seed}")
    entrant.reader.forget()
    path = folder / "measurements" / f"{entrant.name}.csv"
    write_rows(pd.DataFrame(rows).drop(columns="factors"), path)
    return path


def _measurements(cell: Cell, found: Record, origin: Record) -> Iterator[Record]:
    blank: Record = {"token": "", "target": "", "value": None, "n_eval": 0}
    for rows in found.values():
        for row in rows:
            measured = Measurement(
                experiment=EXPERIMENT,
                dataset=cell.dataset,
                method=cell.method,
                tier=cell.tier,
                precision=cell.precision,
                rounding=cell.rounding,
                factors={},
                seed=cell.seed,
                train_seconds=0.0,
                cell=cell.key,
                **(blank | row),
                **origin,
            )
            yield {f.name: getattr(measured, f.name) for f in fields(measured)}


def failures(path: Path) -> dict[str, str]:
    """What was not measured, each reason once: where -> why."""
    rows = read_rows(path)
    lost = rows[~rows["status"].isin(["ok", "skipped"])]
    found = {}
    for (dataset, method, reason), group in lost.groupby(
        ["dataset", "method", "reason"]
    ):
        metrics = ", ".join(sorted(set(group["metric"])))
        found[f"{dataset}/{method} {metrics}"] = str(reason)
    return found


def place(
    path: Path,
    worlds: Mapping[str, Settings],
    results: Path,
    tier: str,
    track: Track = Outsider.track,
) -> tuple[pd.DataFrame, list[str]]:
    """The leaderboard of ours with the entrant, on the worlds that it was shown.

    Args:
        path: The entrant's measurements.
        worlds: Dataset -> the settings that it was shown.
        results: Folder of our CSVs; may be empty.
        tier: Only rows of ours of that tier are comparable.
        track: What the entrant was told.

    Returns:
        See ``rank.rank``; and lines: datasets that nothing of ours is on, or that
        show every seed the same images, so that intervals of the entrant are 0.
    """
    known, theirs = results / "measurements" / f"{EXPERIMENT}.csv", read_rows(path)
    ours = read_rows(known) if known.exists() else theirs.iloc[:0]
    ours = ours[(ours["tier"] == tier) & ~ours["method"].isin(set(theirs["method"]))]
    beside, lines = [theirs], []
    for dataset, settings in worlds.items():
        if _fixed(theirs[theirs["dataset"] == dataset]):
            lines.append(
                f"{dataset} has the same images for every seed: intervals of 0 say "
                "nothing of how they were sampled"
            )
        rows = ours[ours["dataset"] == dataset]
        if settings != of_ours(dataset):
            lines.append(
                f"{dataset} has settings of its own, ours were not measured on it: no "
                "controls (random_init, pixels) beside"
            )
        elif rows.empty:
            lines.append(
                f"{known} has no {dataset} in tier {tier}: no controls (random_init, "
                "pixels) beside"
            )
        else:
            beside.append(rows)
    measured = pd.concat(beside, ignore_index=True)
    tracks = dict.fromkeys(theirs["method"], track)
    return rank({EXPERIMENT: measured}, tracks), lines


def _fixed(rows: pd.DataFrame) -> bool:
    """Whether all seeds, if there are several, have the same numbers."""
    ok = rows[rows["status"] == "ok"]
    numbers = ok.groupby(["metric", "token", "target"])["value"]
    same = (numbers.max() == numbers.min()).all()
    return bool(same and (numbers.count() > 1).any())
