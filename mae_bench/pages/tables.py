"""The leaderboard and the verdicts: CSV -> a page of tables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from mae_bench.experiments.leaderboard import LEADERBOARD
from mae_bench.metrics import Headline
from mae_bench.pages.cards import Row
from mae_bench.pages.page import page
from mae_bench.records.schema import TRACKS
from mae_bench.verdicts.budgets import AT_COST, ON_THE_WAY
from mae_bench.verdicts.rank import (
    CEILING,
    FLOOR,
    LABEL_PROBE_READ,
    PARTS,
    SHOWN,
)
from mae_bench.verdicts.read_outs import LABEL_PROBE

ARROWS = {"max": " ↑", "min": " ↓", "none": ""}
ROLES = {FLOOR: "floor", CEILING: "ceiling"}
_SPANNED = ("value", "low", "high", "floor", "ceiling")


# An accuracy; what a metric of the leaderboard can be is the metric's own.
POSSIBLE = {LABEL_PROBE.name: (0.0, 1.0), AT_COST.name: (0.0, 1.0)} | {
    headline.name: (metric.lower, metric.upper)
    for metric in LEADERBOARD.metrics
    for headline in metric.headlines
}
UNITS = {LABEL_PROBE.name: "accuracy", AT_COST.name: "accuracy"} | {
    headline.name: metric.unit_of(headline.target)
    for metric in LEADERBOARD.metrics
    for headline in metric.headlines
}
MAIN = (LABEL_PROBE.name, AT_COST.name, "linear_r2_level_0", "effective_rank_centred")


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
    def unit(self) -> str:
        """What its numbers are counted in."""
        return UNITS[self.headline.name]

    @property
    def start(self) -> str:
        """The order of the first click: the better first."""
        return "ascending" if self.headline.direction == "min" else "descending"

    @property
    def ends(self) -> dict[str, str]:
        """What its references are called: of what has no better end, what they are."""
        names = ("floor", "ceiling")
        if self.headline.direction == "none":
            return dict(zip(names, ("untrained", "causes"), strict=True))
        return dict(zip(names, names, strict=True))

    @property
    def budget(self) -> str:
        """Whether methods take as many steps, or may cost the same."""
        return "cost" if self.headline == AT_COST else "steps"

    def of(self, row: Row) -> Row:
        """A row's part of it: value, low, high, floor, rank_best ..."""
        parts = {part[1:] or "value": part for part in PARTS}
        found = {name: row[self.headline.name + part] for name, part in parts.items()}
        least, most = POSSIBLE[self.headline.name]
        # A Student's interval of few seeds may leave what a metric can be.
        if found["low"] and float(found["low"]) < least:
            found["low"] = f"{least:g}"
        if found["high"] and float(found["high"]) > most:
            found["high"] = f"{most:g}"
        return found

    def read_out(self, row: Row) -> str:
        """The read-out that a row's number is of, where each method has its own."""
        return row[LABEL_PROBE_READ] if self.headline == LABEL_PROBE else ""

    def x(self, value: str) -> str:
        """Where a number is on a line from 0 to 100, a little within its ends."""
        return f"{2 + 96 * _share(float(value), self.low, self.high):.1f}"


def _share(value: float, low: float, high: float) -> float:
    return (value - low) / ((high - low) or 1.0)


class Point(NamedTuple):
    """A point of a learning curve: at which share of the steps, how much, and where."""

    at: str
    value: str
    x: str
    y: str


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
            name = headline.name
            column = Column(headline, 0.0, 1.0)
            parts = [column.of(row) for row in self.rows]
            seen = [float(part[end]) for part in parts for end in _SPANNED if part[end]]
            if any(row[name] for row in self.rows):
                found.append(Column(headline, min(seen), max(seen)))
        return found

    @property
    def first(self) -> set[str]:
        """Headlines that are shown before anybody chooses: the main ones, or all."""
        names = [column.headline.name for column in self.columns]
        return {name for name in names if name in MAIN} or {*names}

    @property
    def has_curves(self) -> bool:
        """Whether anything is known of the way to the end of training."""
        return any(row[name] for row in self.rows for name in ON_THE_WAY.values())

    def curve(self, row: Row) -> list[Point]:
        """The label probe of a method on the way, between the world's ends."""
        shares = {**ON_THE_WAY, 1.0: LABEL_PROBE.name}
        names = shares.values()
        seen = [float(r[name]) for r in self.rows for name in names if r[name]]
        return [
            Point(
                f"{share:g} of the steps",
                row[name],
                f"{3 + 94 * share:.1f}",
                f"{27 - 24 * _share(float(row[name]), min(seen), max(seen)):.1f}",
            )
            for share, name in shares.items()
            if row[name]
        ]

    @property
    def both_budgets(self) -> bool:
        """Whether methods are compared at equal cost as well."""
        return any(row[AT_COST.name] for row in self.rows)


def boards_of(rows: Sequence[Row]) -> list[Board]:
    """A board a dataset; those of both budgets, which are the default, come first.

    Args:
        rows: ``leaderboard.csv``.
    """
    names = dict.fromkeys(row["dataset"] for row in rows)
    boards = [Board(n, [row for row in rows if row["dataset"] == n]) for n in names]
    return sorted(boards, key=lambda board: not board.both_budgets)


def leaderboard(rows: Sequence[Row], **known: object) -> str:
    """The leaderboard's page, a table a dataset.

    Args:
        rows: ``leaderboard.csv``.
        known: What every page shows.
    """
    boards = boards_of(rows)
    columns = {c.headline.name: c for board in boards for c in board.columns}
    tracks = {row["track"] for row in rows}
    in_order = sorted(
        tracks,
        key=lambda t: (t not in TRACKS, TRACKS.index(t) if t in TRACKS else 0, t),
    )
    return page(
        "leaderboard",
        boards=boards,
        columns=columns.values(),
        first={name for board in boards for name in board.first},
        tracks=in_order,
        roles=ROLES,
        **known,
    )
