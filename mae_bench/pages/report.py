"""CSV -> pages: the leaderboard, the theories and the figures, to be read anywhere."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mae_bench.pages import scorecard
from mae_bench.pages.captions import caption, figures_of
from mae_bench.pages.cards import Card, Row, short
from mae_bench.pages.findings import STANDINGS, counts, findings, held
from mae_bench.pages.history import History, history
from mae_bench.pages.inputs import SCORES, read
from mae_bench.pages.page import PAGES, page, slugs
from mae_bench.pages.tables import boards_of, leaderboard
from mae_bench.pages.whence import Whence, whence
from mae_bench.records import registry
from mae_bench.records.folders import PUBLISHED_TIER
from mae_bench.records.schema import UsageError
from mae_bench.records.stats import wilson
from mae_bench.verdicts.planting import PLANTED

TABLES = ("leaderboard", "theories", "verdicts", "forecasts")
FIRST = ("verdicts", "leaderboard")


@dataclass(frozen=True)
class Evidence:
    """What the pages are made of.

    Args:
        board: ``leaderboard.csv``.
        scores: ``theories.csv``.
        verdicts: ``verdicts.csv``.
        forecasts: ``forecasts.csv``.
        figures: Pictures.
        tables: The CSVs of these that are there.
        measurements: CSVs of what was measured.
    """

    board: Sequence[Row]
    scores: Sequence[Row]
    verdicts: Sequence[Row]
    forecasts: Sequence[Row] = ()
    figures: Sequence[Path] = ()
    tables: Sequence[Path] = ()
    measurements: Sequence[Path] = ()


def evidence(results: Path) -> Evidence:
    """What a folder of results has for the pages; it may have nothing.

    Args:
        results: Folder of the CSVs, and of ``figures`` and ``measurements``.

    Raises:
        UsageError: There is no such folder, or a CSV is not one that the pages can
            read.
    """
    if not results.is_dir():
        raise UsageError(f"no leaderboard.csv in {results}; run mae-bench run first")
    paths = [results / f"{name}.csv" for name in TABLES]
    board, scores, verdicts, forecasts = map(read, paths)
    measurements = sorted((results / "measurements").glob("*.csv"))
    return Evidence(
        board,
        scores,
        verdicts,
        forecasts,
        figures=[
            path
            for path in sorted((results / "figures").glob("*.png"))
            if not _is_stale(path.stem, [p.stem for p in measurements])
        ],
        tables=[path for path in paths if path.is_file()],
        measurements=measurements,
    )


def _is_stale(figure: str, measured: Sequence[str]) -> bool:
    """Whether a figure is of an experiment whose rows are no more."""
    of_experiment = figure in registry.names("experiments")
    return of_experiment and bool(measured) and figure not in measured


def _in_words(held: int, total: int) -> str:
    """How many claims of a standing hold: count, share, interval."""
    if not total:
        return "none is measured"
    share, low, high = wilson(held, total)
    ends = f"{100 * low:.0f} to {100 * high:.0f} %"
    return f"{held} of {total} hold ({100 * share:.0f} %; {ends})"


@dataclass(frozen=True)
class Report:
    """All pages of a site.

    Args:
        known: What they are made of.
        whence: Where that comes from.
    """

    known: Evidence
    whence: Whence = field(default_factory=Whence)

    @property
    def figures(self) -> list[str]:
        """Names of the figures, the most telling first."""
        names = [path.stem for path in self.known.figures]
        first = [name for name in FIRST if name in names]
        return first + [name for name in names if name not in FIRST]

    @property
    def shown(self) -> list[str]:
        """The verdicts that any prediction has."""
        there = {row["verdict"] for row in self.known.verdicts}
        return [verdict for verdict in scorecard.COLOURS if verdict in there]

    @property
    def theories(self) -> list[tuple[Row | None, str, list[Card]]]:
        """Score, name and predictions of each, the most measured first."""
        scores = {row["theory"]: row for row in self.known.scores}
        names = dict.fromkeys([*scores, *(r["theory"] for r in self.known.verdicts)])
        found = [(scores.get(name), name, self._cards(name)) for name in names]
        return sorted(found, key=_most_measured)

    def _cards(self, theory: str) -> list[Card]:
        """What was measured before what was not, each as the table has them."""
        rows = [row for row in self.known.verdicts if row["theory"] == theory]
        rows.sort(key=lambda row: row["verdict"] == "not_measured")
        anchors = slugs(short(row) for row in rows)
        there = {path.stem for path in self.known.measurements}
        tier = self.whence.tiers[0] if len(self.whence.tiers) == 1 else PUBLISHED_TIER
        return [
            Card(
                row,
                anchors[short(row)],
                figures_of(row["experiment"], self.figures),
                row["experiment"] in there,
                tier,
            )
            for row in rows
        ]

    def pages(
        self, history: History | None, *, measured: bool
    ) -> Iterator[tuple[str, str]]:
        """Path of each page below the root, and what is on it.

        Args:
            history: What asv published, if anything.
            measured: Whether commits have been measured for asv.
        """
        theories, known = self.theories, self.known
        files = slugs(name for _, name, _ in theories)
        about: dict[str, Any] = {"whence": self.whence}
        pictures = {
            "anchors": slugs(self.figures),
            "captions": {name: caption(name) for name in self.figures},
        }
        yield "index.html", page("index")
        yield (
            "overview.html",
            page(
                "overview",
                **self._overview(),
                history=history,
                measured=measured,
                **about,
            ),
        )
        yield "leaderboard.html", leaderboard(known.board, **about)
        yield (
            "theories.html",
            page(
                "theories",
                theories=theories,
                scores=SCORES,
                pages_of=files,
                shown=self.shown,
                **about,
            ),
        )
        yield "figures.html", page("figures", figures=self.figures, **pictures, **about)
        for score, name, cards in theories:
            said = _of_theory(name)
            yield (
                f"theories/{files[name]}.html",
                page(
                    "theory",
                    root="../",
                    theory=name,
                    score=score,
                    cards=cards,
                    paper=_paper(cards),
                    **said,
                    **pictures,
                    **about,
                ),
            )

    def _overview(self) -> dict[str, object]:
        """What the front page shows."""
        known = self.known
        rows = [row for board in boards_of(known.board) for row in board.rows]
        found = counts(known.verdicts)
        return {
            "methods": list(dict.fromkeys(row["method"] for row in rows)),
            "datasets": list(dict.fromkeys(row["dataset"] for row in rows)),
            "theories": self.theories,
            "predictions": len(known.verdicts),
            "figures": len(self.figures),
            "nothing": not (known.board or known.verdicts),
            "findings": findings(rows, known.verdicts, known.forecasts),
            "counts": found,
            "shown": self.shown,
            "strict": _in_words(*held(known.verdicts, STANDINGS[0])),
            "beyond": _in_words(*held(known.verdicts, STANDINGS[1])),
        }


def _most_measured(
    item: tuple[Row | None, str, Sequence[Card]],
) -> tuple[bool, int, str]:
    """For sorting: what is planted comes last."""
    _, name, cards = item
    planted = any(card.row["standing"].startswith(PLANTED) for card in cards)
    return planted, -sum(card.measured for card in cards), name


def _paper(cards: Sequence[Card]) -> str:
    return next((card.row["paper"] for card in cards if card.row["paper"]), "")


def _of_theory(name: str) -> dict[str, object]:
    """Its sentences and what it assumes, of a theory that is installed."""
    if name not in registry.names("theories"):
        return {"summary": "", "assumptions": ()}
    theory = registry.load("theories", name)
    return {"summary": theory.summary, "assumptions": theory.assumptions}


def report(
    known: Evidence,
    output: Path,
    *,
    measured: bool = False,
    date: str = "",
    commit: str = "",
) -> list[Path]:
    """Write the pages, and beside them the CSVs and figures that they link to.

    Args:
        known: What they are made of.
        output: Where to; asv's pages are linked to if they are in its ``asv``.
        measured: Whether commits have been measured for asv, with pages or without.
        date: Of the site.
        commit: Of the code that makes it.

    Returns:
        The pages, the entry first.
    """
    for folder, paths in {
        "figures": known.figures,
        "data": known.tables,
        "data/measurements": known.measurements,
    }.items():
        (output / folder).mkdir(parents=True, exist_ok=True)
        for path in paths:
            shutil.copyfile(path, output / folder / path.name)
    (output / "theories").mkdir(exist_ok=True)
    about = whence(known.measurements, known.verdicts, date=date, commit=commit)
    made = Report(known, about).pages(history(output / "asv"), measured=measured)
    written = {}
    for name, html in made:
        written[name] = output / name
        written[name].write_text(html, "utf-8")
    mine = [f"{name}.html" for name in PAGES]
    return [written[name] for name in [*mine, *(n for n in written if "/" in n)]]
