"""CSV -> pages: the leaderboard, the theories and the figures, to be read anywhere."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mae_bench.pages.page import PAGES, page
from mae_bench.pages.tables import Row, leaderboard, read, theories
from mae_bench.records.schema import UsageError
from mae_bench.records.stats import wilson
from mae_bench.verdicts.planting import PLANTED

STRICT = ("theorem", "derived")
FIRST = ("verdicts", "leaderboard")


@dataclass(frozen=True)
class Evidence:
    """What the pages are made of.

    Args:
        board: ``leaderboard.csv``.
        scores: ``theories.csv``.
        verdicts: ``verdicts.csv``.
        figures: Pictures.
    """

    board: Sequence[Row]
    scores: Sequence[Row]
    verdicts: Sequence[Row]
    figures: Sequence[Path]


def evidence(results: Path) -> Evidence:
    """What a folder of results has for the pages.

    Args:
        results: Folder of the CSVs, and of ``figures``.

    Raises:
        UsageError: There is neither a leaderboard nor a verdict, or a CSV is not one
            that the pages can read.
    """
    names = ("leaderboard.csv", "theories.csv", "verdicts.csv")
    board, scores, verdicts = (read(results / name) for name in names)
    if not (board or verdicts):
        raise UsageError(f"no leaderboard.csv in {results}; run mae-bench run first")
    figures = sorted((results / "figures").glob("*.png"))
    return Evidence(board, scores, verdicts, figures)


def _held(rows: Sequence[Row], strict: bool) -> str:
    """How many claims of a standing hold: count, share, interval."""
    mine = [
        r["verdict"]
        for r in rows
        if r["verdict"] != "not_measured" and not r["standing"].startswith(PLANTED)
        if r["standing"].startswith(STRICT) is strict
    ]
    if not mine:
        return "none is measured"
    held = mine.count("supported")
    share, low, high = wilson(held, len(mine))
    ends = f"{100 * low:.0f} to {100 * high:.0f} %"
    return f"{held} of {len(mine)} hold ({100 * share:.0f} %; {ends})"


@dataclass(frozen=True)
class Graph:
    """A benchmark that asv draws over commits.

    Args:
        name: Its id.
        unit: Unit of its numbers.
        worse: Whether asv calls one of its steps a regression.
    """

    name: str
    unit: str
    worse: bool


@dataclass(frozen=True)
class History:
    """What asv published."""

    graphs: Sequence[Graph]
    regressions: int


def _history(asv: Path) -> History | None:
    if not (asv / "index.json").is_file():
        return None
    benchmarks = json.loads((asv / "index.json").read_text())["benchmarks"]
    found = json.loads((asv / "regressions.json").read_text())["regressions"]
    worse = {entry[0].partition("(")[0] for entry in found}
    graphs = [
        Graph(name, str(about.get("unit", "")), name in worse)
        for name, about in sorted(benchmarks.items())
    ]
    return History(graphs, len(found))


def overview(known: Evidence, history: History | None, *, measured: bool) -> str:
    """The entry: what holds, where each page is, the history, the figures.

    Args:
        known: What the pages are made of.
        history: What asv published, if anything.
        measured: Whether commits have been measured for asv.
    """
    figures = [path.stem for path in known.figures]
    return page(
        "overview",
        methods=list(dict.fromkeys(row["method"] for row in known.board)),
        datasets=list(dict.fromkeys(row["dataset"] for row in known.board)),
        strict=_held(known.verdicts, strict=True),
        beyond=_held(known.verdicts, strict=False),
        history=history,
        measured=measured,
        first=[name for name in FIRST if name in figures],
        rest=[name for name in figures if name not in FIRST],
    )


def report(known: Evidence, output: Path, *, measured: bool = False) -> list[Path]:
    """Write the pages.

    Args:
        known: What they are made of.
        output: Where to; asv's pages are linked to if they are in its ``asv``.
        measured: Whether commits have been measured for asv, with pages or without.

    Returns:
        The pages, the entry first.
    """
    (output / "figures").mkdir(parents=True, exist_ok=True)
    for path in known.figures:
        shutil.copyfile(path, output / "figures" / path.name)
    bodies = {
        "overview": overview(known, _history(output / "asv"), measured=measured),
        "leaderboard": leaderboard(known.board),
        "theories": theories(known.scores, known.verdicts),
        "index": page("index"),
    }
    for name, html in bodies.items():
        (output / f"{name}.html").write_text(html, "utf-8")
    return [output / f"{name}.html" for name in PAGES]
