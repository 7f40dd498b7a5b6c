"""The rows that a claim speaks of, among all that were measured or should have been."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from mae_bench.records import registry
from mae_bench.records.rows import (
    COLUMNS,
    Measurements,
    Where,
    over_roundings,
)
from mae_bench.records.schema import TIERS, UsageError
from mae_bench.records.stats import wilson
from mae_bench.records.words import Words, of_words, order_by
from mae_bench.verdicts.cuts import Cuts

if TYPE_CHECKING:
    from mae_bench.experiments import Experiment
    from mae_bench.metrics import Metric

# What no claim is about, and no verdict says.
_OF_NO_CLAIM = ("experiment", "train_seconds", "commit", "dirty", "versions", "device")
# What does not tell rows apart; the rest orders them.
_PROVENANCE = ("rounding", "metric_version", "n_eval", "reason")
# Whose a row is; what it says is said by several.
_WHOSE = ("seed", "cell", "tier")
_UNKNOWN = ("metric", "view", "token", "target")
_WHOLE = ("metric_version", "n_eval", "rounding")
# With fewer numbers two seeds may be alike by chance.
_TELLING = 4


def select(
    measurements: Measurements,
    experiment: Experiment,
    metrics: tuple[Metric, ...],
    where: Where,
) -> pd.DataFrame:
    """The rows of an experiment that a claim speaks of, failures with a NaN value.

    Args:
        measurements: Experiment id -> its tidy rows.
        experiment: Where it is looked for.
        metrics: What is looked at.
        where: Row filters.

    Returns:
        A point of the declared grid that has no row in a seed in which others of the
        claim have one, has one of status ``missing``.

    Raises:
        ValueError: An unknown column; rows of several tiers, precisions, or versions of
            a metric.
    """
    name = experiment.id
    if name not in measurements:
        return pd.DataFrame(columns=list(COLUMNS))
    cuts, ids = Cuts.of(measurements), tuple(metric.id for metric in metrics)
    rows = cuts.rows(name, ids, where)
    _check_alike(rows, name)
    if absent := _absent(rows, cuts, experiment, ids, where):
        blank = pd.DataFrame(absent).reindex(columns=rows.columns)
        rows = pd.concat([rows, blank.astype(rows.dtypes)], ignore_index=True)
    ok = rows["status"] == "ok"
    if ok.all():
        return rows
    return rows.assign(value=rows["value"].astype(float).where(ok))


def _check_alike(rows: pd.DataFrame, name: str) -> None:
    for column, noun in {"tier": "tiers", "precision": "precisions"}.items():
        if column in rows and _varies(rows[column]):
            mixed = ", ".join(map(str, sorted(rows[column].unique())))
            raise UsageError(f"{name} mixes {noun} {mixed}; judge one at a time")
    if "metric_version" in rows and _varies(rows["metric_version"]):
        ok = rows[rows["status"] == "ok"]
        for metric, versions in ok.groupby("metric")["metric_version"]:
            found = sorted(versions.unique())
            if len(found) > 1:
                mixed = ", ".join(f"{v:g}" for v in found)
                raise UsageError(
                    f"{name} mixes versions {mixed} of {metric}; measure it again"
                )


def _varies(column: pd.Series) -> bool:
    found = column.to_numpy()
    return bool(len(found)) and bool((found != found[0]).any())


def _absent(
    ours: pd.DataFrame,
    cuts: Cuts,
    experiment: Experiment,
    metrics: tuple[str, ...],
    where: Where,
) -> list[dict[str, object]]:
    """A row for each declared point of which a seed of ours has none of the metrics."""
    rows = cuts.rows(experiment.id, metrics)
    tier = str(rows["tier"].iloc[0]) if len(ours) else ""
    if tier not in TIERS:
        return []
    points = _grid(experiment.id, tier)
    axes = tuple(axis for axis in points[0] if axis in rows)
    asked = {axis: where[axis] for axis in axes if axis in where}
    due = {
        tuple(point[axis] for axis in axes)
        for point in points
        if all(_admits(wanted, point[axis]) for axis, wanted in asked.items())
    }
    there = cuts.points(experiment.id, metrics, axes)
    lacking = [
        (seed, point)
        for seed in sorted(ours["seed"].unique())
        for point in due
        if (seed, *point) not in there
    ]
    if not lacking:
        return []
    blank: dict[str, object] = dict.fromkeys(_UNKNOWN, "")
    blank |= dict.fromkeys(_WHOLE, 0)
    blank |= {"tier": tier, "status": "missing"}
    # What a method or world does not have is empty here as it is in the rows.
    words = {axis: pd.api.types.is_string_dtype(rows[axis]) for axis in axes}
    return [
        blank
        | {
            axis: "" if value is None and words[axis] else value
            for axis, value in zip(axes, point, strict=True)
        }
        | {"seed": seed, "cell": f"missing {seed} {point}"}
        for seed, point in sorted(lacking, key=lambda at: (at[0], str(at[1])))
    ]


def _admits(wanted: object, value: object) -> bool:
    return value in wanted if isinstance(wanted, tuple) else value == wanted


@cache  # the parts do not change while a process runs
def _grid(experiment: str, tier: str) -> list[dict[str, object]]:
    """The declared points: dataset, method and factors; a factor it lacks is None."""
    cells = registry.load("experiments", experiment).cells(TIERS[tier], range(1))
    return [{"dataset": cell.dataset, "method": cell.method} | at for cell, at in cells]


def applicable(rows: pd.DataFrame) -> pd.DataFrame:
    """Without the rows that say that the metric is not for this method or dataset."""
    skipped = rows["status"] == "skipped"
    return rows[~skipped] if skipped.any() else rows


def coverage(rows: pd.DataFrame) -> float:
    """Share of the cells whose every row has a value; 0 without cells."""
    if rows.empty:
        return 0.0
    if rows["value"].notna().all():
        return 1.0
    return float(rows["value"].notna().groupby(rows["cell"]).all().mean())


def failures(rows: pd.DataFrame) -> str:
    """In how many of the seeds something has no value, by the reason, with its share.

    >>> rows = pd.DataFrame({"seed": [0, 1, 2, 3], "status": ["ok"] * 3 + ["diverged"]})
    >>> failures(rows)
    'diverged in 1 of 4 seeds (0.05 to 0.7)'
    """
    bad = rows[~rows["status"].isin(["ok", "skipped"])]
    n = rows["seed"].nunique()
    said = []
    for status, seeds in bad.groupby("status")["seed"].nunique().items():
        _, low, high = wilson(int(seeds), n)
        said.append(f"{status} in {seeds} of {n} seeds ({low:.1g} to {high:.1g})")
    return "; ".join(said)


def in_order(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows of an experiment, so that nothing depends on how they came to be.

    One of all that differ in their rounding; sorted by what they say, which fixes
    every sum; and one of all seeds that say the same in every row, which are no sample.
    Columns of text are categories, see ``Words``.
    """
    rows = over_roundings(rows)
    rows = rows.drop(columns=[c for c in _OF_NO_CLAIM if c in rows])
    rows = rows.assign(**{c: Words.of(rows[c]).category() for c in of_words(rows)})
    telling_apart = (c for c in map(str, rows) if c not in _PROVENANCE)
    places = {c: Words.of(rows[c]).places() for c in telling_apart}
    telling = [c for c in places if c == "seed" or places[c].max(initial=0) > 0]
    order = order_by([places[c] for c in telling])
    rows = rows.take(order).reset_index(drop=True)
    said = pd.DataFrame({c: places[c][order] for c in places if c not in _WHOSE})
    hashed = pd.util.hash_pandas_object(said, index=False)
    kept: dict[bytes, object] = {}
    for seed, mine in hashed.groupby(rows["seed"]):
        told = np.sort(mine.to_numpy())
        kept.setdefault(told.tobytes() if len(told) >= _TELLING else b"%d" % seed, seed)
    whole = rows["seed"].isin(list(kept.values()))
    return rows if whole.all() else rows[whole]
