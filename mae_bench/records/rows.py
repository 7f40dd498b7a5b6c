"""Tidy rows of numbers: matched, averaged by seed; tables written."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from mae_bench.records.machine import of_row
from mae_bench.records.schema import Measurement, Setting
from mae_bench.records.store import write_atomically
from mae_bench.records.words import entries, lacking

COLUMNS = tuple(f.name for f in fields(Measurement) if f.name != "factors")
TEXT = {f.name for f in fields(Measurement) if f.type in ("str", "Status")}
# What a row speaks of, besides the factors; and what it says of it.
IDENTITY = ("dataset", "method", "seed", "cell", "metric", "view", "token", "target")
FACTS = ("metric_version", "value", "status")
# Ends of a token: the same read-out, held against the latents or labels of other
# images; and on the images that chose it.
SHUFFLED, VALIDATION = "/shuffled", "/val"
# Where a metric or a cell failed before these were known, they are empty.
_UNKNOWN_IN_FAILURES = ("metric", "view", "token", "target")

# What was noted of a cell, and is no part of what a row says.
_OF_A_CELL = ("n_eval", "train_seconds", "commit", "dirty", "versions", "device")

Where = Mapping[str, Setting | tuple[Setting, ...]]
Measurements = Mapping[str, pd.DataFrame]
Hits = npt.NDArray[np.bool_]


def matching(rows: pd.DataFrame, where: Where) -> pd.DataFrame:
    """The rows whose columns have the wanted values (a tuple admits several).

    A failure is kept if it may concern the wanted rows: where it does not know its
    metric, view, token or target, it speaks of all of them.

    Raises:
        ValueError: A column that the rows do not have.
    """
    kept = matches(rows, where)
    return rows if len(kept) == len(rows) else rows.iloc[kept]


def matches(rows: pd.DataFrame, where: Where) -> npt.NDArray[np.intp]:
    """Where those rows stand; see ``matching``."""
    kept = np.arange(len(rows))
    failed = entries(rows["status"]) != "ok" if "status" in rows else None
    if failed is None or not failed.any():
        failed = None
    for column, wanted in where.items():
        if column not in rows:
            known = ", ".join(map(str, rows.columns))
            raise ValueError(f"no column {column!r} to match; there are {known}")
        values = wanted if isinstance(wanted, tuple) else (wanted,)
        there = entries(rows[column])[kept]
        hit = _among(there, [v for v in values if v is not None])
        if None in values:
            hit |= lacking(there) | _among(there, [""])
        if column in _UNKNOWN_IN_FAILURES and failed is not None:
            hit |= failed[kept] & _among(there, [""])
        kept = kept[hit]
    return kept


def _among(column: Any, values: Sequence[Setting]) -> Hits:
    """Which entries are one of a few values; a loop over these is faster than a set."""
    hits = np.zeros(len(column), np.bool_)
    for value in values:
        hits |= np.asarray(column == value, np.bool_)
    return hits


def in_words(where: Where | float) -> str:
    """Row filters as they are said; a constant as it is.

    >>> in_words({"method": ("mae", "sim_mim"), "noise_std": None})
    'method mae or sim_mim, noise_std none'
    >>> in_words({}), in_words(0.9)
    ('the value', '0.9')
    """
    if not isinstance(where, Mapping):
        return f"{where:g}"
    said = [f"{column} {value_in_words(value)}" for column, value in where.items()]
    return ", ".join(said) or "the value"


def value_in_words(value: Setting | tuple[Setting, ...]) -> str:
    """A setting as it is said; of a tuple any.

    >>> value_in_words((0.25, True, None))
    '0.25 or yes or none'
    """
    if isinstance(value, tuple):
        return " or ".join(map(value_in_words, value))
    if value is None or isinstance(value, bool):
        return {None: "none", True: "yes", False: "no"}[value]
    return value if isinstance(value, str) else f"{value:g}"


def processors(measurements: Measurements) -> list[str]:
    """The kinds of processor that rows were computed on, as far as they say."""
    told = [
        rows[["device", "versions"]].drop_duplicates().to_numpy()
        for rows in measurements.values()
    ]
    return sorted({of_row(*pair) for pairs in told for pair in pairs} - {""})


def over_roundings(rows: pd.DataFrame) -> pd.DataFrame:
    """One row of those that differ in the rounding of their weights alone.

    A seed counts once. Its value is the mean; if one has none it has none, and the
    row says why.
    """
    if "rounding" not in rows or not (rows["rounding"] > 0).any():
        return rows
    free = {"cell", "rounding", "value", "status", "reason", *_OF_A_CELL}
    axes = [column for column in rows if column not in free]
    # What failed comes first, and stands for the others.
    rows = rows.assign(_fine=rows["status"] == "ok").sort_values(["_fine", "rounding"])
    same = rows.groupby(axes, dropna=False, sort=False)
    mean = same["value"].transform("mean").where(same["_fine"].transform("all"))
    return rows.assign(value=mean).loc[same.cumcount() == 0].drop(columns="_fine")


def seed_means(rows: pd.DataFrame, *factors: str) -> pd.Series:
    """Mean value of each seed at each point of the factors.

    Args:
        rows: Columns seed, value (NaN for a failure) and the factors.
        factors: Columns that span the points.

    Returns:
        Indexed by seed and the factors; NaN where a value is lacking that another
        seed has at this point, so that no mean is over fewer things than the next.
    """
    names = ("seed", *factors)
    levels, codes = zip(*(_levels(rows[name]) for name in names), strict=True)
    sizes = [len(of) + 1 for of in levels]
    there, at, size = np.unique(
        np.ravel_multi_index(codes, sizes), return_inverse=True, return_counts=True
    )
    mean = np.bincount(at, rows["value"].astype(float)) / size
    points, point = np.unique(there % math.prod(sizes[1:]), return_inverse=True)
    due = np.zeros(len(points), int)
    np.maximum.at(due, point, size)
    # What has no value makes no mean, as what is not there makes none that counts.
    mean = np.where(size == due[point], mean, np.nan)
    places = np.unravel_index(there, sizes)
    if not factors:
        seeds = pd.Index(levels[0].take(places[0]), name="seed")
        return pd.Series(mean, seeds, name="mean")
    at_levels: Any = [
        np.where(place == len(of), -1, place)
        for place, of in zip(places, levels, strict=True)
    ]
    index = pd.MultiIndex(levels, at_levels, names=names, verify_integrity=False)
    return pd.Series(mean, index, name="mean")


def _levels(column: pd.Series) -> tuple[Any, npt.NDArray[np.intp]]:
    """What a column has, sorted, and which each row has; what is empty has the next."""
    if column.dtype.kind in "fiu":
        levels, codes = np.unique(entries(column), return_inverse=True)
        return levels[~np.isnan(levels)], codes
    codes, words = pd.factorize(column, sort=True)
    return words, np.where(codes < 0, len(words), codes)


def seed_table(
    rows: pd.DataFrame, factor: str, levels: tuple[Setting, ...] | None = None
) -> pd.DataFrame:
    """Seeds that have every level, against the levels.

    Args:
        rows: Columns seed, value and the factor.
        factor: Column of the levels; rows where it is empty are left out.
        levels: Which, and in which order; all of them, sorted, if None.
    """
    if factor not in rows:
        known = ", ".join(map(str, rows.columns))
        raise ValueError(f"no factor {factor!r} in the rows; there are {known}")
    rows = rows[rows[factor].notna() & (rows[factor] != "")]
    means = seed_means(rows, factor)
    points: Any = means.index
    every = np.full(tuple(map(len, points.levels)), np.nan)
    every[tuple(points.codes)] = means
    table = pd.DataFrame(every, *points.levels)
    if levels is not None:
        table = table.reindex(columns=list(levels))
    whole = np.flatnonzero(table.notna().to_numpy().all(axis=1))
    return table.take(whole)


def write_table(frame: pd.DataFrame, path: Path) -> None:
    """A CSV of 6 significant digits, written whole or not at all; NaN is empty.

    Raises:
        StoreError: The disk does not take it.
    """
    text = frame.to_csv(index=False, float_format="%.6g", lineterminator="\n")
    write_atomically(path, text.encode())
