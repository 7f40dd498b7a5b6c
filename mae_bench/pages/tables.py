"""The leaderboard and the verdicts: CSV -> a page of tables."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from mae_bench.metrics import Headline
from mae_bench.pages import scorecard
from mae_bench.pages.page import page
from mae_bench.records.schema import UsageError
from mae_bench.verdicts.rank import (
    CEILING,
    FLOOR,
    LABEL_PROBE_READ,
    NUMBERS,
    PARTS,
    SHOWN,
)
from mae_bench.verdicts.read_outs import LABEL_PROBE

Row = Mapping[str, str]

ARROWS = {"max": " ↑", "min": " ↓", "none": ""}
ROLES = {FLOOR: "floor", CEILING: "ceiling"}
SCORES = {
    "theorem": "theorem_score",
    "extrapolation": "extrapolation_score",
    "forecast": "forecast_skill",
}
_SPANNED = ("", "_low", "_high", "_floor", "_ceiling")


class Columns(NamedTuple):
    """What the pages read of a CSV."""

    words: tuple[str, ...]
    numbers: tuple[str, ...]


COLUMNS = {
    "leaderboard": Columns(
        ("dataset", "method", "track", LABEL_PROBE_READ, "coverage", "status"),
        NUMBERS,
    ),
    "theories": Columns(
        ("theory", "forecast_of"),
        (
            *("predictions", *scorecard.COLOURS, "forecast_coverage"),
            *SCORES.values(),
            *(part + end for part in SCORES for end in ("_low", "_high")),
        ),
    ),
    "verdicts": Columns(
        (
            *("prediction", "theory", "standing", "form", "verdict", "kind"),
            *("alone", "phase", "pilot", "control_verdict", "location", "reason"),
            *("above", "failed", "conditions"),
        ),
        (
            *("estimate", "ci_low", "ci_high", "margin", "n_seeds", "e_value"),
            *("asked", "more_seeds", "minimum_detectable_effect"),
        ),
    ),
}


def read(path: Path) -> list[Row]:
    """A CSV whose columns are as the pages need them; no rows if there is none.

    Args:
        path: ``leaderboard.csv``, ``theories.csv`` or ``verdicts.csv``.

    Raises:
        UsageError: It lacks columns, or has something else where a number belongs.
    """
    if not path.is_file():
        return []
    words, numbers = COLUMNS[path.stem]
    with path.open(newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file, restval="")
        lacking = {*words, *numbers} - {*(reader.fieldnames or ())}
        if lacking:
            raise UsageError(f"{path} lacks {', '.join(sorted(lacking))}")
        rows: list[Row] = list(reader)
    for line, row in enumerate(rows, start=2):
        for name in numbers:
            if not _is_number(row[name] or "0"):
                found = f"{row[name]!r}, which is not a number"
                raise UsageError(f"{path}: row {line} has as {name} {found}")
    return rows


def _is_number(value: str) -> bool:
    try:
        float(value)
    except ValueError:
        return False
    return True


@dataclass(frozen=True)
class Column:
    """A headline on one dataset, from its least to its greatest number."""

    headline: Headline
    low: float
    high: float

    @property
    def words(self) -> str:
        """Its title, and which way is better."""
        return self.headline.name.replace("_", " ") + ARROWS[self.headline.direction]

    @property
    def start(self) -> str:
        """The order of the first click: the better first."""
        return "ascending" if self.headline.direction == "min" else "descending"

    def of(self, row: Row) -> Row:
        """A row's part of it: value, low, high, floor, rank_best ..."""
        parts = {part[1:] or "value": part for part in PARTS}
        return {name: row[self.headline.name + part] for name, part in parts.items()}

    def read_out(self, row: Row) -> str:
        """The read-out that a row's number is of, where each method has its own."""
        return row[LABEL_PROBE_READ] if self.headline == LABEL_PROBE else ""

    def x(self, value: str) -> str:
        """Where a number is on a line from 0 to 100, a little within its ends."""
        share = (float(value) - self.low) / ((self.high - self.low) or 1.0)
        return f"{2 + 96 * share:.1f}"


@dataclass(frozen=True)
class Board:
    """The methods on one dataset, against the headlines that any of them has."""

    dataset: str
    rows: Sequence[Row]

    @property
    def columns(self) -> list[Column]:
        """The headlines."""
        found = []
        for headline in SHOWN:
            names = [headline.name + part for part in _SPANNED]
            seen = [float(row[n]) for row in self.rows for n in names if row[n]]
            if any(row[headline.name] for row in self.rows):
                found.append(Column(headline, min(seen), max(seen)))
        return found


def leaderboard(rows: Sequence[Row]) -> str:
    """The leaderboard's page, a table a dataset.

    Args:
        rows: ``leaderboard.csv``.
    """
    names = dict.fromkeys(row["dataset"] for row in rows)
    boards = [Board(n, [row for row in rows if row["dataset"] == n]) for n in names]
    return page("leaderboard", boards=boards, roles=ROLES)


def theories(scores: Sequence[Row], verdicts: Sequence[Row]) -> str:
    """The page of what became of every theory, and of each of its predictions.

    Args:
        scores: ``theories.csv``.
        verdicts: ``verdicts.csv``.
    """
    order = sorted(
        scores, key=lambda s: (_measured(s) == 0, -_measured(s), s["theory"])
    )
    mine = [
        (score, [row for row in verdicts if row["theory"] == score["theory"]])
        for score in order
    ]
    return page("theories", theories=mine, scores=SCORES, colours=scorecard.COLOURS)


def _measured(score: Row) -> float:
    return float(score["predictions"] or 0) - float(score["not_measured"] or 0)
