"""The reader of measurements: what is wrong with a file is a line that says where.

Every verb reads through it, so no verb sees a row that is not what it seems to be.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from pathlib import Path

import numpy as np
import pandas as pd

from mae_bench.records.fields import line_of, words_of
from mae_bench.records.rows import COLUMNS, FACTS, IDENTITY, Measurements
from mae_bench.records.schema import LARGEST, STATUSES, UsageError
from mae_bench.records.words import TRUTHS, Words, in_full, levels_of, numbers

_WHOLE = ("seed", "rounding", "metric_version", "n_eval")
_SURE = ("seed", "rounding")
# What must be the same in all rows that are looked at together.
_ALIKE = {"tier": "tiers", "precision": "precisions", "device": "kinds of device"}


def read_rows(path: Path) -> pd.DataFrame:
    """The measurements of one experiment.

    Returns:
        Columns of ``Measurement``, the factors as columns of their own: text columns
        have "" for empty, the others NaN; truth values are 1 and 0. Of equal rows
        there is one.

    Raises:
        UsageError: There is no such file, or a row that cannot be; with its line.
    """
    return in_full(read_words(path))


def read_words(path: Path) -> pd.DataFrame:
    """The same, in a fifth of the memory: a column of text is a category."""
    if not path.exists():
        raise UsageError(f"no {path}; measure the experiment {path.stem!r} first")
    return typed(words_of(path), path).reset_index(drop=True)


def read_measurements(
    folder: Path,
    read: Callable[[Path], pd.DataFrame] = read_rows,
    names: Collection[str] | None = None,
) -> dict[str, pd.DataFrame]:
    """Every ``<experiment>.csv`` of a folder, by experiment.

    Args:
        folder: Of the files.
        read: Reads one of them.
        names: Only these experiments, as far as they are there.

    Raises:
        UsageError: See ``read_rows``; or files of several tiers, precisions or kinds of
            device.
    """
    paths = sorted(folder.glob("*.csv"))
    found = {p.stem: read(p) for p in paths if names is None or p.stem in names}
    refuse_mixture({f"{stem}.csv": rows for stem, rows in found.items()}, str(folder))
    return found


def refuse_mixture(tables: Measurements, place: str) -> None:
    """Refuse tables that are not to be looked at together.

    Args:
        tables: By the name of their file.
        place: Where they are.

    Raises:
        UsageError: They are of several tiers, precisions or kinds of device.
    """
    for column, name in _ALIKE.items():
        of = {v: file for file, rows in tables.items() for v in _kinds(rows, column)}
        if len(of) > 1:
            named = ", ".join(f"{v} ({file})" for v, file in sorted(of.items()))
            raise UsageError(f"{place} mixes {name}: {named}; keep them apart")


def refuse_unlike(rows: pd.DataFrame, path: Path, **of: str) -> None:
    """Refuse to put rows beside others that are not to be looked at together.

    Args:
        rows: What is there.
        path: Of their file.
        of: What the new rows are of: ``tier``, ``precision`` and ``device``.

    Raises:
        UsageError: They are of another tier, precision or kind of device.
    """
    for column, name in _ALIKE.items():
        for kind in sorted(_kinds(rows, column) - {_kind(of[column]), ""}):
            raise UsageError(
                f"{path} has rows of {column} {kind}, and these are of "
                f"{_kind(of[column])}: {name} are kept apart; name another folder with "
                "--results"
            )


def _kind(word: str) -> str:
    """What it is of; of a device, that before its name.

    >>> _kind("cuda NVIDIA H200"), _kind("cuda:0"), _kind("bf16-mixed")
    ('cuda', 'cuda', 'bf16-mixed')
    """
    return re.split(r"[ :]", word)[0]


def _kinds(rows: pd.DataFrame, column: str) -> set[str]:
    """What rows are of; what was not run was on no device."""
    return {_kind(str(value)) for value in rows[column].unique()} - {""}


def typed(text: pd.DataFrame, path: Path) -> pd.DataFrame:
    """Fields of text as what they are, each of them checked; of equal rows the first.

    Raises:
        UsageError: A field or a row that cannot be, with its line in ``path``.
    """
    rows, check = text.copy(), _Check(path)
    for name in _WHOLE:
        column = Words.of(text[name])
        optional = "" if name in _SURE else "|"
        whole = column.words.str.fullmatch(rf"[0-9]{{1,9}}{optional}")
        check(column, whole, "is no whole number")
        rows[name] = column.each(numbers)
    rows[[*_SURE]] = rows[[*_SURE]].astype(int)
    column = Words.of(text["dirty"])
    check(column, column.words.isin(TRUTHS), "is neither True nor False")
    rows["dirty"] = column.rows(column.words.map(TRUTHS).astype(float))
    column = Words.of(text["status"])
    check(column, column.words.isin(STATUSES), "is no status")
    measured = column.rows(column.words == "ok")
    for name in ("value", "train_seconds"):
        column = Words.of(text[name])
        found = numbers(column.words)
        known = (column.words == "") | (found.abs() < LARGEST)
        check(column, known, "is no finite number")
        rows[name] = column.rows(found)
    right = measured == (text["value"] != "")
    if not right.all():
        check.refuse(text["value"], right, "does not go with status")
    for name in text.columns.difference(list(COLUMNS)):
        column = Words.of(text[name])
        plain = column.words.str.lower().str.strip("+-")
        known = ~plain.isin(["nan", "inf", "infinity"])
        check(column, known, "is no level of a factor")
        rows[name] = levels_of(column)
    for name in _ALIKE:
        column = Words.of(text[name])
        kinds = column.words.map(_kind)
        if (kinds != "").any() and (kinds != kinds.iloc[0]).any():
            of_rows = column.rows(kinds)
            first = of_rows[of_rows != ""].iloc[0]
            known = kinds.isin([first, ""] if name == "device" else [first])
            check(column, known, f"is not {first!r}, as above")
    return _unique(rows, path)


def _unique(rows: pd.DataFrame, path: Path) -> pd.DataFrame:
    """One of each row; two that disagree on a number are named."""
    factors = [c for c in rows if c not in COLUMNS]
    twice = rows.duplicated([*IDENTITY, *factors], keep=False)
    if not twice.any():
        return rows
    for _, same in rows[twice].groupby([*IDENTITY, *factors], dropna=False):
        if len(same.drop_duplicates(list(FACTS))) > 1:
            one, other = same.index[:2]
            first = same.iloc[0]
            what = " ".join(str(first[c]) for c in IDENTITY if first[c] != "")
            said = [same.loc[i, "value"] for i in (one, other)]
            raise UsageError(
                f"{path}, lines {line_of(path, one)} and {line_of(path, other)} "
                f"contradict each other: {what}: {said[0]} and {said[1]}"
            )
    return rows.drop_duplicates([*IDENTITY, *factors])


class _Check:
    """Refuses the first row of which something is not so."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __call__(self, column: Words, right: pd.Series[bool], what: str) -> None:
        """Look at each word once."""
        if not bool(right.all()):
            self.refuse(column.column, column.rows(right), what)

    def refuse(self, column: pd.Series, right: pd.Series[bool], what: str) -> None:
        """Name the first row that is not right."""
        index = int(np.argmin(right.to_numpy()))
        field = f"{column.name} {str(column.iloc[index])[:40]!r}"
        raise UsageError(
            f"{self.path}, line {line_of(self.path, index)}: {field} {what}"
        )
