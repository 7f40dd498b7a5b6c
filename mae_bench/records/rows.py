"""Tidy rows of numbers: matched, averaged by seed; tables written."""

from __future__ import annotations

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
    kept = np.arange(len(rows))
    failed = (rows["status"] != "ok").to_numpy() if "status" in rows else None
    if failed is None or not failed.any():
        failed = None
    for column, wanted in where.items():
        if column not in rows:
            known = ", ".join(map(str, rows.columns))
            raise ValueError(f"no column {column!r} to match; there are {known}")
        values = wanted if isinstance(wanted, tuple) else (wanted,)
        there = rows[column].array[kept]
        hit = _among(there, [v for v in values if v is not None])
        if None in values:
            hit |= pd.isna(there) | _among(there, [""])
        if column in _UNKNOWN_IN_FAILURES and failed is not None:
            hit |= failed[kept] & _among(there, [""])
        kept = kept[hit]
    return rows if len(kept) == len(rows) else rows.iloc[kept]


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
    groups = rows.groupby(["seed", *factors], dropna=False)["value"]
    mean, size = groups.mean(), groups.size()
    count = groups.count() if rows["value"].isna().any() else size
    due: float | pd.Series[float] = size.max()
    if factors and (size != due).any():
        due = size.groupby(level=list(factors), dropna=False).transform("max")
    whole = count == due
    return (mean if whole.all() else mean.where(whole)).rename("mean")


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
    # Each point has one mean, so that a pivot table would have nothing to do.
    table = seed_means(rows, factor).unstack(factor)  # noqa: PD010
    if levels is not None:
        table = table.reindex(columns=list(levels))
    return table.dropna()


def write_table(frame: pd.DataFrame, path: Path) -> None:
    """A CSV of 6 significant digits, written whole or not at all; NaN is empty.

    Raises:
        StoreError: The disk does not take it.
    """
    text = frame.to_csv(index=False, float_format="%.6g", lineterminator="\n")
    write_atomically(path, text.encode())
