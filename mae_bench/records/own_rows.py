"""Rows of one's own: seed, factors, metric and value, as somebody's table has them.

A table needs the columns ``seed``, ``metric`` and ``value``. ``dataset``, ``method``,
``view``, ``token`` and ``target`` mean what they mean in a measurement, and
``experiment`` that a row speaks of that one alone; every other column is a factor. Of
rows with a ``status`` those that are ``ok`` are read.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from mae_bench.records import registry
from mae_bench.records.rows import COLUMNS
from mae_bench.records.schema import LARGEST, UsageError
from mae_bench.records.words import levels

NEEDED = ("seed", "metric", "value")
# What tells rows apart besides the factors; where it is not said it is empty.
SAID = ("experiment", "dataset", "method", "view", "token", "target")
# Columns of measurements that say nothing of what was measured.
_UNREAD = {*COLUMNS} - {*NEEDED, *SAID}
_EMPTY = ("", "nan", "none", "null", "na")


def read_own(path: Path) -> pd.DataFrame:
    """The rows of a CSV; see ``own_rows``.

    Raises:
        UsageError: There is no such file, or a row that cannot be, with its line.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file)
            lines = [(reader.line_num, fields) for fields in reader if any(fields)]
    except FileNotFoundError as error:
        raise UsageError(f"there is no {path}") from error
    except (OSError, ValueError, csv.Error) as error:
        reason = " ".join(str(error).split())
        raise UsageError(f"cannot read {path}: {reason}") from error
    if not lines:
        raise UsageError(f"{path} is empty; it needs {', '.join(NEEDED)} and factors")
    (_, header), *rest = lines
    names = [name.strip() for name in header]
    for number, fields in rest:
        if len(fields) != len(names):
            width = f"{len(fields)} fields, and not {len(names)}"
            raise UsageError(f"{path}, line {number}: {width}")
    table = pd.DataFrame([fields for _, fields in rest], columns=names, dtype=object)
    return _typed(table, [f"{path}, line {number}" for number, _ in rest], str(path))


def own_rows(table: pd.DataFrame) -> pd.DataFrame:
    """Somebody's rows with every column that a judge reads.

    Args:
        table: ``seed``, ``metric``, ``value``, factors, and any of ``SAID``.

    Returns:
        Factors as numbers where all of their entries are; what is not said is empty;
        ``status``, ``cell`` and ``tier`` as in measurements.

    Raises:
        UsageError: A column is lacking, or a row cannot be.
    """
    text = table.astype(object).where(table.notna(), "").map(str)
    return _typed(text, [f"row {index}" for index in table.index], "the table")


def renamed(rows: pd.DataFrame, names: Mapping[str, tuple[str, str]]) -> pd.DataFrame:
    """Rows with somebody's names of metrics as ours.

    Args:
        rows: See ``own_rows``.
        names: Hers -> our metric, and its target or "" to leave the rows' own.

    Raises:
        UsageError: No row has that name, or rows are doubled by it.
    """
    lacking = sorted(names.keys() - {*rows["metric"]})
    if lacking:
        there = ", ".join(sorted({*rows["metric"]}))
        raise UsageError(f"no row has the metric {lacking[0]!r}; there are {there}")
    target = rows["metric"].map(lambda name: names.get(name, ("", ""))[1])
    metric = rows["metric"].map(lambda name: names.get(name, (name, ""))[0])
    found = rows.assign(
        metric=metric, target=target.where(target != "", rows["target"])
    )
    twice = found[found.duplicated(_axes(found))]
    if len(twice):
        mine = rows.loc[twice.index[0], "metric"]
        said = " ".join(_said(twice[_axes(found)].iloc[0]))
        raise UsageError(f"as {mine} is named, {said} is there twice")
    return found


def factors_of(rows: pd.DataFrame) -> list[str]:
    """The columns that are factors."""
    known = {*COLUMNS, *NEEDED, *SAID}
    return [str(column) for column in rows if column not in known]


def _typed(text: pd.DataFrame, places: list[str], source: str) -> pd.DataFrame:
    _refuse_header([str(name) for name in text], source)
    if "status" in text:  # of measurements: what failed has no value
        kept = (text["status"] == "ok").to_numpy()
        text = text[kept]
        places = [place for place, keep in zip(places, kept, strict=True) if keep]
    if text.empty:
        raise UsageError(f"{source} has no rows")
    text = text.drop(columns=[name for name in text if name in _UNREAD])
    text = text.map(str.strip).reset_index(drop=True)
    _refuse(text["seed"].str.fullmatch(r"[0-9]{1,9}(\.0)?"), text["seed"], places)
    _refuse(text["metric"] != "", text["metric"], places)
    value = pd.to_numeric(text["value"], errors="coerce")
    _refuse(np.isfinite(value) & (value.abs() < LARGEST), text["value"], places)
    rows = text.assign(seed=text["seed"].astype(float).astype(int), value=value)
    rows = rows.assign(**{name: "" for name in SAID if name not in rows})
    for factor in factors_of(rows):
        plain = text[factor].str.lower().str.lstrip("+-")
        _refuse(~plain.isin(["inf", "infinity"]), text[factor], places)
        rows[factor] = levels(text[factor].mask(plain.isin(_EMPTY), ""))
    _refuse_twice(rows, places)
    point = rows[["dataset", "method", *factors_of(rows), "seed"]]
    cells = ["/".join(map(str, at)) for at in point.itertuples(index=False)]
    return rows.assign(status="ok", tier="", cell=cells)


def _refuse_header(names: list[str], source: str) -> None:
    lacking = [name for name in NEEDED if name not in names]
    if lacking:
        columns = f"column{'s' * (len(lacking) > 1)} {', '.join(lacking)}"
        raise UsageError(
            f"{source} lacks the {columns}, without which no prediction can be judged; "
            f"it has {', '.join(names)}{_hint(names)}"
        )
    for name in names:
        if not name or names.count(name) > 1:
            raise UsageError(f"{source}: column {name!r} is not one of its own")


def _hint(names: list[str]) -> str:
    """What a header that lacks something may be meant to be."""
    if len(names) == 1 and any(sign in names[0] for sign in ";\t|"):
        return "; fields are told apart by commas"
    if metric := next((n for n in names if n in registry.names("metrics")), ""):
        said = "its name below metric, its number below value"
        return f"; of {metric} a line a number is wanted, {said}"
    return ""


_IS_NO = {
    "seed": "is no whole number",
    "metric": "names no metric",
    "value": "is no finite number",
}


def _refuse(right: pd.Series[bool], column: pd.Series, places: list[str]) -> None:
    """Refuse the first row of which something is not so."""
    if not bool(right.all()):
        at = int(np.argmin(right.to_numpy()))
        what = _IS_NO.get(str(column.name), "is no level of a factor")
        said = str(column.iloc[at])[:40]
        raise UsageError(f"{places[at]}: {column.name} {said!r} {what}")


def _axes(rows: pd.DataFrame) -> list[str]:
    """What tells rows apart."""
    return ["seed", "metric", *SAID, *factors_of(rows)]


def _refuse_twice(rows: pd.DataFrame, places: list[str]) -> None:
    axes = _axes(rows)
    twice = rows.duplicated(axes)
    if twice.any():
        at = int(np.argmax(twice.to_numpy()))
        same = (rows[axes].astype(str) == rows[axes].astype(str).iloc[at]).all(axis=1)
        said = " ".join(_said(rows[axes].iloc[at]))
        first = places[int(np.argmax(same.to_numpy()))]
        raise UsageError(f"{places[at]}: {said} is there already, in {first}")


def _said(row: pd.Series) -> Iterator[str]:
    """What a row speaks of, in words."""
    for name, value in row.items():
        if value != "" and value == value:  # NaN is not
            said = f"{value:g}" if isinstance(value, float) else str(value)
            yield f"{name} {said}"
