"""The tables that pages and figures are made of, checked as they are read."""

from __future__ import annotations

import csv
import math
import re
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from mae_bench.pages import scorecard
from mae_bench.pages.cards import Row
from mae_bench.records.ruling import RULINGS
from mae_bench.records.schema import TRACKS, UsageError
from mae_bench.verdicts.budgets import ON_THE_WAY
from mae_bench.verdicts.rank import LABEL_PROBE_READ, NUMBERS

SCORES = {
    "theorem": "theorem_score",
    "extrapolation": "extrapolation_score",
    "forecast": "forecast_skill",
}


class Columns(NamedTuple):
    """What the pages read of a CSV, and by what its rows are told apart."""

    words: tuple[str, ...]
    numbers: tuple[str, ...]
    key: tuple[str, ...]


COLUMNS = {
    "leaderboard": Columns(
        ("dataset", "method", "track", LABEL_PROBE_READ, "coverage", "status"),
        (*NUMBERS, *ON_THE_WAY.values()),
        ("dataset", "method"),
    ),
    "theories": Columns(
        ("theory", "forecast_of"),
        (
            *("predictions", *scorecard.COLOURS, "forecast_coverage"),
            *SCORES.values(),
            *(part + end for part in SCORES for end in ("_low", "_high")),
        ),
        ("theory",),
    ),
    "verdicts": Columns(
        (
            *("prediction", "theory", "standing", "form", "verdict", "kind"),
            *("alone", "phase", "pilot", "control_verdict", "location", "reason"),
            *("above", "failed", "conditions", "confirmed", "claim", "paper"),
            *("place", "experiment", "metric", "unit", "control", "refuted_by"),
        ),
        (
            *("estimate", "ci_low", "ci_high", "margin", "n_seeds", "e_value"),
            *("asked", "more_seeds", "minimum_detectable_effect", "difference"),
        ),
        ("prediction",),
    ),
    "forecasts": Columns(
        ("theory", "forecast_of", "world"),
        ("skill", "low", "high", "null_low", "null_high"),
        ("theory", "forecast_of", "world"),
    ),
}
_COLOURED = {"verdict": RULINGS, "track": TRACKS}
# They may have no end: nothing decides, or no number of seeds would.
_ENDLESS = ("asked", "more_seeds", "e_value", "minimum_detectable_effect")
_NUMBER = re.compile(r"[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?")
AGAIN = "make it again with mae-bench judge and rank"


def read(path: Path) -> list[Row]:
    """A CSV whose columns are as the pages need them; no rows if there is none.

    Args:
        path: ``leaderboard.csv``, ``theories.csv``, ``verdicts.csv`` or
            ``forecasts.csv``.

    Raises:
        UsageError: It lacks columns, or a row is of another length or has something
            else where a number belongs.
    """
    if not path.is_file():
        return []
    columns = COLUMNS[path.stem]
    try:
        with path.open(newline="", encoding="utf-8") as file:
            reader = csv.DictReader(file)
            names = reader.fieldnames or ()
            rows: list[Row] = list(reader)
    except (OSError, ValueError, csv.Error) as error:
        raise UsageError(f"cannot read {path}: {error}; {AGAIN}") from error
    lacking = {*columns.words, *columns.numbers} - {*names}
    if lacking:
        raise UsageError(f"{path} lacks {', '.join(sorted(lacking))}; {AGAIN}")
    for line, row in enumerate(rows, start=2):
        short = None in row or None in row.values()
        if fault := "is not as long as the first" if short else _fault(row, columns):
            raise UsageError(f"{path}: row {line} {fault}; {AGAIN}")
    return rows


def _fault(row: Row, columns: Columns) -> str:
    """What is wrong with a row that is whole; nothing of a sound one."""
    for name in columns.numbers:
        if not _is_number(row[name], endless=name in _ENDLESS):
            return f"has as {name} {row[name]!r}, which is not a number"
    return ""


def _is_number(word: str, *, endless: bool) -> bool:
    """Whether it is one, or empty."""
    if word in ("", "inf"):
        return endless or not word
    return bool(_NUMBER.fullmatch(word)) and math.isfinite(float(word))


def frame(path: Path) -> pd.DataFrame:
    """The same file as a table, for figures.

    Raises:
        UsageError: See ``read``; or a row that is there twice, or has a word for which
            there is no colour.
    """
    seen: set[tuple[str, ...]] = set()
    for line, row in enumerate(read(path), start=2):
        key = tuple(row[name] for name in COLUMNS[path.stem].key)
        if key in seen:
            raise UsageError(f"{path}: row {line} is there twice; {AGAIN}")
        seen.add(key)
        for name in _COLOURED.keys() & row.keys():
            if row[name] not in _COLOURED[name]:
                raise UsageError(f"{path}: row {line} has as {name} {row[name]!r}")
    try:
        return pd.read_csv(path, low_memory=False)
    except ValueError as error:
        reason = " ".join(str(error).split())
        raise UsageError(f"cannot read {path}: {reason}; {AGAIN}") from error
