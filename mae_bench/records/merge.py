"""New rows into the measurements that are there: the rest stays, byte for byte."""

from __future__ import annotations

import os
from pathlib import Path

import pandas as pd
from filelock import FileLock

from mae_bench.records.fields import read_text
from mae_bench.records.read import typed
from mae_bench.records.rows import COLUMNS, TEXT
from mae_bench.records.schema import FINISHED
from mae_bench.records.store import StoreError, write_atomically
from mae_bench.records.words import levels

# Rows of one of these are measured, kept and replaced together.
GROUP = ["cell", "metric", "view"]
# They say how a row came to be, and do not order the file.
_UNORDERED = ("value", "train_seconds", "reason")
_KINDS = {
    "seed": int,
    "rounding": int,
    "metric_version": int,
    "n_eval": int,
    "dirty": bool,
}


def merge(fresh: pd.DataFrame, path: Path) -> None:
    """Put rows into a file of measurements, under a lock that all writers take.

    New rows replace those of their cell, metric and view, of any version of the metric;
    but what has failed replaces nothing that was finished. Where a cell has rows of
    metrics, a row that says that the whole cell failed goes.

    Args:
        fresh: Columns of ``Measurement``, the factors as columns of their own.
        path: ``measurements/<experiment>.csv``; made if it is not there.

    Raises:
        UsageError: What is there cannot be read.
        StoreError: The disk does not take it; what was there is untouched.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(path.parent / ".lock"):
            _merge(_as_text(fresh), path)
    except OSError as error:
        if isinstance(error, StoreError):
            raise
        raise StoreError(f"cannot write {path}: {error.strerror or error}") from error


def write_rows(rows: pd.DataFrame, path: Path) -> None:
    """A file of measurements made anew, sorted and with fixed decimals for a diff.

    Raises:
        StoreError: The disk does not take it.
    """
    write_text(_as_text(rows), path)


def write_text(text: pd.DataFrame, path: Path) -> None:
    """The same, of rows that are the fields of a file already."""
    content = _sorted(text).to_csv(index=False, lineterminator="\n")
    write_atomically(path, content.encode())


def check_writable(folder: Path) -> None:
    """Raise ``StoreError`` now rather than after an hour of training."""
    probe = folder / "measurements" / f".writable.{os.getpid()}"
    write_atomically(probe, b"")
    probe.unlink()


def _merge(fresh: pd.DataFrame, path: Path) -> None:
    there = fresh.iloc[:0]
    if path.exists():
        there = read_text(path)
        there = there.loc[typed(there, path).index]  # checked; of equal rows the first
    write_text(together(there, fresh), path)


def together(there: pd.DataFrame, fresh: pd.DataFrame) -> pd.DataFrame:
    """Rows and new ones, as the fields of a file; see ``merge`` for which stay."""
    columns = _header([*fresh, *there])
    there, fresh = (t.reindex(columns=columns, fill_value="") for t in (there, fresh))
    fresh = fresh[~_outdone(fresh, there)]
    return pd.concat([there[~_replaced(there, fresh)], fresh], ignore_index=True)


def _outdone(fresh: pd.DataFrame, there: pd.DataFrame) -> pd.Series[bool]:
    """New rows that say less than what is there: finished rows stay."""
    done = there[finished(there)]
    lesser = ~finished(fresh) & _among(fresh, done)
    whole = fresh["metric"] == ""
    of_metrics = done.loc[done["metric"] != "", "cell"]
    failed_for_good = done.loc[done["metric"] == "", "cell"]
    return (
        lesser
        | (whole & fresh["cell"].isin(of_metrics))
        | (~finished(fresh) & fresh["cell"].isin(failed_for_good))
    )


def _replaced(there: pd.DataFrame, fresh: pd.DataFrame) -> pd.Series[bool]:
    """Rows in whose place there are new ones; a failed cell speaks of all its rows."""
    of_failed = there["cell"].isin(fresh.loc[fresh["metric"] == "", "cell"])
    failed_then = (there["metric"] == "") & there["cell"].isin(fresh["cell"])
    return _among(there, fresh) | of_failed | failed_then


def finished(rows: pd.DataFrame) -> pd.Series[bool]:
    """Whether no row of the group would end better in another run."""
    done = rows["status"].isin(FINISHED)
    return done.groupby([rows[c] for c in GROUP]).transform("all").astype(bool)


def _among(rows: pd.DataFrame, others: pd.DataFrame) -> pd.Series[bool]:
    """Which rows are of a group that the others have."""
    groups = pd.MultiIndex.from_frame(rows[GROUP])
    found = groups.isin(pd.MultiIndex.from_frame(others[GROUP]))
    return pd.Series(found, rows.index)


def _header(names: list[str]) -> list[str]:
    """The fields of ``Measurement``, the factors in their place."""
    factors = [name for name in dict.fromkeys(names) if name not in COLUMNS]
    place = COLUMNS.index("seed")
    return [*COLUMNS[:place], *factors, *COLUMNS[place:]]


def _as_text(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows as the fields of a file."""
    text = rows.astype(object).where(rows.notna(), "")
    text["value"] = rows["value"].map(lambda v: "" if pd.isna(v) else f"{v:.6f}")
    text["train_seconds"] = rows["train_seconds"].map("{:.1f}".format)
    for column, kind in _KINDS.items():
        text[column] = rows[column].map(kind)
    return text.map(str)


def _sorted(text: pd.DataFrame) -> pd.DataFrame:
    """In the order of the columns, numbers as numbers, what is empty last."""
    ordered = [c for c in map(str, text) if c not in _UNORDERED]
    keys = pd.DataFrame({c: _key(text[c]) for c in ordered}, index=text.index)
    return text.loc[keys.sort_values(ordered, kind="stable").index]


def _key(column: pd.Series) -> pd.Series:
    if column.name in TEXT:
        return column
    found = levels(column)
    return found.mask(column == "") if found is column else found
