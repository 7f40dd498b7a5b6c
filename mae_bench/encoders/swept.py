"""A sweep of somebody's encoders, measured where theories look along its factor.

Each encoder is shown the worlds of the predictions that compare levels of the factor,
with the settings that their experiments give these worlds, and of the metrics those
that an encoder alone can be asked for: by whole images, without its masks, its decoder
or its training.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd
from torch import nn

from mae_bench.encoders.evaluate import Entrant, attempt, build, cell_of
from mae_bench.encoders.outsider import Reader
from mae_bench.encoders.specs import weights_of
from mae_bench.encoders.sweep import Trained
from mae_bench.records import registry
from mae_bench.records.schema import Setting, UsageError, canonical
from mae_bench.runs.score import score
from mae_bench.training.threads import threads
from mae_bench.verdicts.applying import PLACES
from mae_bench.verdicts.compared import columns_of

if TYPE_CHECKING:
    from mae_bench.experiments import Experiment
    from mae_bench.metrics import Metric
    from mae_bench.theories import Theory

# What an encoder that was trained elsewhere can be asked for.
READ = ("latents", "labels", "features")
_READ_OUTS = ("view", "token", "target", "metric")
NAME = "sweep"


@dataclass(frozen=True)
class World:
    """A world as some experiments have it.

    Args:
        dataset: Its id.
        settings: All of them.
        experiments: Whose predictions are looked for there.
        metrics: What is asked of an encoder.
    """

    dataset: str
    settings: Mapping[str, Setting]
    experiments: Collection[str]
    metrics: Collection[str]


def worlds_of(
    theories: Mapping[str, Theory],
    factors: Collection[str],
    wanted: Collection[str] = (),
    datasets: Collection[str] = (),
) -> list[World]:
    """Where predictions and forecasts along some factors are looked for.

    Args:
        theories: By id.
        factors: Of the sweep.
        wanted: Predictions ``theory/number``; all of them if empty.
        datasets: The only worlds that are shown; all of them if empty.

    Raises:
        UsageError: None of them can be read of an encoder alone.
    """
    found: dict[str, World] = {}
    for experiment, metric, names in _looks(theories, set(factors), wanted):
        for name in names:
            settings = _settings(experiment, name)
            if (datasets and name not in datasets) or settings.keys() & set(factors):
                continue
            key = canonical([name, settings])
            there = found.get(key, World(name, settings, (), ()))
            found[key] = World(
                name,
                settings,
                {*there.experiments, experiment.id},
                {*there.metrics, metric.id},
            )
    if not found:
        where = f" in {', '.join(datasets)}" if datasets else ""
        asked = ", ".join(wanted) or "no prediction"
        raise UsageError(
            f"{asked} along {', '.join(factors)}{where}: not to be read of an encoder "
            "alone, without its masks, decoder or training; some can be along "
            f"{', '.join(_known(theories))}"
        )
    return list(found.values())


def _looks(
    theories: Mapping[str, Theory], factors: set[str], wanted: Collection[str]
) -> Iterator[tuple[Experiment, Metric, Sequence[str]]]:
    """Experiment, metric and datasets of what compares levels of these factors."""
    for name, theory in theories.items():
        for number, claim in theory.predictions.items():
            if claim.planted or (wanted and f"{name}/{number}" not in wanted):
                continue
            along = columns_of(claim.form) - {*PLACES, *_READ_OUTS}
            if along and along <= factors and _readable(claim):
                yield claim.experiment, claim.metric, _datasets(claim)
        for forecast in theory.forecasts:
            if set(forecast.experiment.factors) <= factors and _readable(forecast):
                yield forecast.experiment, forecast.metric, _datasets(forecast)


def _readable(claim: Any) -> bool:
    """Whether whole images and frozen features are all that is asked for."""
    metrics = [m for m in (claim.metric, getattr(claim, "against", None)) if m]
    whole = claim.where.get("view", "unmasked") == "unmasked"
    return whole and all(metric.reads in READ for metric in metrics)


def _datasets(claim: Any) -> list[str]:
    """Worlds of a claim and of its control."""
    parts = claim.experiment.datasets
    found: list[str] = []
    control = getattr(claim, "control", None)
    for where in (claim.where, control.where if control else {}):
        wanted = where.get("dataset", () if where is not claim.where else None)
        if wanted is None:
            found += [registry.id_of(part) for part in parts]
        else:
            found += wanted if isinstance(wanted, tuple) else [str(wanted)]
    return list(dict.fromkeys(found))


def _settings(experiment: Experiment, dataset: str) -> dict[str, Setting]:
    """Every setting of a world as an experiment has it."""
    known = registry.settings(registry.load("datasets", dataset))
    given = {**experiment.settings, **experiment.by_world.get(dataset, {})}
    return known | {name: value for name, value in given.items() if name in known}


def _known(theories: Mapping[str, Theory]) -> list[str]:
    """Factors along which an encoder alone can be asked."""
    return sorted(
        {
            column
            for theory in theories.values()
            for claim in theory.predictions.values()
            if _readable(claim) and not claim.planted
            for column in columns_of(claim.form) - {*PLACES, *_READ_OUTS}
        }
    )


def measure_sweep(
    encoders: Sequence[Trained],
    worlds: Sequence[World],
    *,
    tier: str,
    device: str,
    image_size: int | None = None,
    told: Callable[[str], None] = lambda _: None,
) -> tuple[pd.DataFrame, dict[str, str]]:
    """Ask every encoder of a sweep in every world.

    Args:
        encoders: Of the sweep.
        worlds: Where they are asked.
        tier: Says how many images are probed.
        device: Where images are drawn and probes fitted.
        image_size: Side of the images that a network is shown.
        told: Called with a line after every encoder.

    Returns:
        Rows as ``records.own_rows`` wants them; and where -> why nothing was measured.

    Raises:
        UsageError: An encoder cannot be had, has the weights of another, or cannot
            read the images.
    """
    rows: list[dict[str, Any]] = []
    failed: dict[str, str] = {}
    known: dict[str, Trained] = {}
    for done, each in enumerate(encoders, 1):
        network = each.load()
        _refuse_twin(each, network, known)
        reader = Reader(network, device, image_size, told)
        entrant = Entrant(NAME, reader, {"source": each.spec})
        for world in worlds:
            settings = dict(world.settings)
            cell = cell_of(entrant, world.dataset, settings, tier, each.seed)
            if done == 1:
                attempt(entrant, cell, device)
            reader.begin()
            pairs = [(metric, "unmasked") for metric in sorted(world.metrics)]
            with threads(1):
                found = score(cell, *build(cell, entrant), pairs, device)
            for row in (row for part in found.values() for row in part):
                if row["status"] == "ok":
                    rows += _rows(each, world, row)
                elif row["status"] != "skipped":
                    failed[f"{world.dataset}, {each}"] = str(row["reason"])
        told(f"{done}/{len(encoders)} {each}")
    return pd.DataFrame(rows), failed


def _refuse_twin(each: Trained, network: nn.Module, known: dict[str, Trained]) -> None:
    """Refuse an encoder that is another's copy: it says nothing of level or seed."""
    digest = weights_of(network)
    if digest and (twin := known.setdefault(digest, each)) is not each:
        raise UsageError(
            f"{each.spec} has the weights of {twin.spec}; a verdict needs a training "
            "for each level and seed"
        )


def _rows(each: Trained, world: World, row: Mapping[str, Any]) -> Iterator[Any]:
    """A number, once for every experiment that has the world so."""
    for experiment in sorted(world.experiments):
        yield {
            "seed": each.seed,
            **each.at,
            "metric": row["metric"],
            "value": row["value"],
            "experiment": experiment,
            "dataset": world.dataset,
            **{name: row.get(name, "") for name in ("view", "token", "target")},
        }
