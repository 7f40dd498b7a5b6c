"""Three findings for the front page, each said and drawn from the CSVs' own numbers."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from mae_bench.pages.cards import Row
from mae_bench.pages.page import number
from mae_bench.records.stats import wilson
from mae_bench.verdicts.budgets import AT_COST
from mae_bench.verdicts.forecast import MEAN
from mae_bench.verdicts.planting import PLANTED
from mae_bench.verdicts.read_outs import LABEL_PROBE

STRICT = ("theorem", "derived")
STANDINGS = ("theorems, derived", "said beyond", "planted nulls")


class Line(NamedTuple):
    """A dot with its interval, and what it is held against."""

    label: str
    value: float
    low: float | None = None
    high: float | None = None
    band: tuple[float, float] | None = None


@dataclass(frozen=True)
class Strip:
    """Dots under each other on one axis.

    Args:
        title: What the numbers are.
        lines: The dots.
        low: Left end of the axis.
        high: Right end.
    """

    title: str
    lines: Sequence[Line]
    low: float = 0.0
    high: float = 1.0

    @property
    def zero(self) -> bool:
        """Whether 0 lies within the axis."""
        return self.low < 0 < self.high

    @property
    def said(self) -> str:
        """The picture in words."""
        lines = (f"{line.label} {_words(line)}" for line in self.lines)
        return f"{self.title}: {'; '.join(lines)}"

    def x(self, value: float) -> float:
        """Where a number is on a line from 0 to 200, a little within its ends."""
        share = (value - self.low) / (self.high - self.low)
        return round(4 + 192 * min(max(share, 0.0), 1.0), 1)


def _words(line: Line) -> str:
    if line.low is None or line.high is None:
        return _number(line.value)
    return f"{_number(line.value)} ({_number(line.low)} to {_number(line.high)})"


def _number(value: float) -> str:
    return number(f"{value:.6g}")


@dataclass(frozen=True)
class Finding:
    """A sentence that the rows say, its picture, and where there is more.

    Args:
        title: The finding.
        text: Its numbers, and what they do not say.
        strips: Its picture.
        link: Page with more of it.
        more: What that page is called.
    """

    title: str
    text: str
    strips: Sequence[Strip]
    link: str
    more: str


def findings(
    board: Sequence[Row], verdicts: Sequence[Row], forecasts: Sequence[Row]
) -> list[Finding]:
    """Those of which there are rows.

    Args:
        board: ``leaderboard.csv``, the default worlds first.
        verdicts: ``verdicts.csv``.
        forecasts: ``forecasts.csv``.
    """
    found = (of_budgets(board), of_standings(verdicts), of_forecasts(forecasts))
    return [finding for finding in found if finding]


def of_budgets(board: Sequence[Row]) -> Finding | None:
    """Who leads where methods take as many steps, and where they may cost the same."""
    for world in dict.fromkeys(row["dataset"] for row in board):
        mine = [row for row in board if row["dataset"] == world]
        leads = [_leaders(mine, name) for name in (LABEL_PROBE.name, AT_COST.name)]
        if all(len(lead) == 2 for lead in leads):
            break
    else:
        return None
    strips, said, first = [], [], []
    for lead, words in zip(leads, ("equal steps", "equal cost"), strict=True):
        lines = [lead["pixels"], lead["more"]]
        strips.append((f"label probe on {world}, {words}", lines))
        best = max(lines, key=lambda line: line.value)
        first.append(best.label)
        others = f"{_words(lines[1])} of {lines[1].label}, which is told more"
        said.append(
            f"At {words} {lines[0].label} reads {_words(lines[0])} and {others}."
        )
    ends = [
        x for _, lines in strips for line in lines for x in line[1:4] if x is not None
    ]
    low, high = min(ends) - 0.02, max(ends) + 0.02
    title = f"On {world} {first[0]} leads at equal steps, {first[1]} at equal cost"
    if first[0] == first[1]:
        title = f"On {world} {first[0]} leads at either budget"
    said.append("Each is the best of its kind; those it is tied with are in the")
    drawn = [Strip(words, lines, low, high) for words, lines in strips]
    return Finding(title, " ".join(said), drawn, "leaderboard.html", "leaderboard.")


def _leaders(rows: Sequence[Row], name: str) -> dict[str, Line]:
    """The best of those that see pixels alone, and of those that are told more."""
    found: dict[str, Line] = {}
    for row in rows:
        kind = "pixels" if row["track"] == "pixels" else "more"
        if not row[name] or row["track"] == "reference":
            continue
        low, high = (_clipped(row[f"{name}{end}"], 0.0) for end in ("_low", "_high"))
        line = Line(row["method"], float(row[name]), low, high)
        if kind not in found or line.value > found[kind].value:
            found[kind] = line
    return found


def counts(verdicts: Sequence[Row]) -> dict[str, dict[str, int]]:
    """Standing in words -> verdict -> predictions, and all of them."""
    found: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for row in verdicts:
        name = _standing(row)
        found[name][row["verdict"]] += 1
        found[name]["all"] += 1
    return dict(found)


def _standing(row: Row) -> str:
    if row["standing"].startswith(PLANTED):
        return STANDINGS[2]
    strict = row["standing"].startswith(STRICT)
    if not row["standing"]:
        return "without an experiment"
    return STANDINGS[0] if strict else STANDINGS[1]


def held(rows: Sequence[Row], standing: str) -> tuple[int, int]:
    """How many claims of a standing are supported, and how many have rows."""
    mine = [
        row["verdict"]
        for row in rows
        if row["verdict"] != "not_measured" and _standing(row) == standing
    ]
    return mine.count("supported"), len(mine)


def _refuted(rows: Sequence[Row], standing: str) -> int:
    return sum(r["verdict"] == "refuted" and _standing(r) == standing for r in rows)


def of_standings(verdicts: Sequence[Row]) -> Finding | None:
    """What holds of theorems, of what is said beyond, and of planted nulls."""
    found = {name: held(verdicts, name) for name in STANDINGS}
    if not all(found[name][1] for name in STANDINGS[:2]):
        return None
    lines = [Line(name, *wilson(*of)) for name, of in found.items() if of[1]]
    (a, all_a), (b, all_b) = (found[name] for name in STANDINGS[:2])
    title = f"{a} of {all_a} theorems hold, and {b} of {all_b} claims that go beyond"
    no, beyond = (_refuted(verdicts, name) for name in STANDINGS[:2])
    text = (
        "With the theorems counts what is derived from one. Refuted are "
        f"{no} and {beyond}; the others are neither. "
        "Shares have 95 % Wilson intervals; a planted null is a claim that was made "
        "false on purpose. See"
    )
    strip = Strip("share of the predictions with rows that is supported", lines)
    return Finding(title, text, [strip], "theories.html", "every prediction.")


def of_forecasts(rows: Sequence[Row]) -> Finding | None:
    """Which theory orders best, without training, the grid that most have forecast."""
    panel = max(_panels(rows), key=lambda item: len(item[1]), default=None)
    if panel is None:
        return None
    (grid, world), theories = panel
    lines = [_skill(theory, row) for theory, row in theories.items()]
    lines.sort(key=lambda line: -line.value)
    below = sum(line.high is not None and line.high < 0 for line in lines)
    text = (
        f"{lines[0].label} orders the settings of {grid} on {world} with a tau of "
        f"{_words(lines[0])}; {below} of {len(lines)} forecasts are the reverse of "
        "what was found. Shaded is what random orders reach. How each was made is with"
    )
    title = f"The forecast that orders best is {lines[0].label}'s"
    strip = Strip(f"Kendall's tau, {grid} on {world}", lines, -1.0, 1.0)
    return Finding(title, text, [strip], "theories.html", "the theories.")


def _skill(theory: str, row: Row) -> Line:
    """A forecast's tau, its interval, and what random orders reach."""
    low, high = (_clipped(row[end], -1.0) for end in ("low", "high"))
    null = [float(row[end]) for end in ("null_low", "null_high") if row[end]]
    band = (null[0], null[1]) if len(null) == 2 else None
    return Line(theory, float(row["skill"]), low, high, band)


def _clipped(value: str, least: float) -> float | None:
    """An end of an interval, within what is possible: up to 1."""
    return min(max(float(value), least), 1.0) if value else None


def _panels(rows: Sequence[Row]) -> Iterator[tuple[tuple[str, str], Mapping[str, Row]]]:
    """Grid and world -> theory -> its row, where two theories have a skill."""
    found: dict[tuple[str, str], dict[str, Row]] = defaultdict(dict)
    for row in rows:
        if row["skill"] and row["world"] != MEAN:
            found[row["forecast_of"], row["world"]][row["theory"]] = row
    yield from (item for item in found.items() if len(item[1]) > 1)
