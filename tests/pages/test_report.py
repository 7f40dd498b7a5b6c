import csv
import json
import re
from html.parser import HTMLParser
from itertools import islice
from pathlib import Path

import pytest
from markupsafe import escape

from mae_bench.pages import report as verb
from mae_bench.pages.report import Evidence, evidence
from mae_bench.pages.tables import COLUMNS
from mae_bench.records.schema import UsageError
from mae_bench.records.stats import wilson

RESULTS = Path(__file__).parent.parent.parent / "results"
HOSTILE = '<script>alert(1)</script>"><img src=x onerror=alert(1)>'


def report(results: Path, output: Path) -> list[Path]:
    return verb.report(evidence(results), output)


def test_the_pages_link_only_to_what_is_there(tmp_path: Path) -> None:
    pages = report(RESULTS, tmp_path)
    assert [p.name for p in pages] == [
        "overview.html",
        "leaderboard.html",
        "theories.html",
    ]
    for path in [*pages, tmp_path / "index.html"]:
        html = path.read_text("utf-8")
        assert "://" not in html
        linked = re.findall(r'(?:href|src|url)="?=?\s*([^"#>]+)(#[^"]*)?"', html)
        assert linked
        for target, _ in linked:
            assert target.startswith("data:") or (tmp_path / target).is_file(), target


def test_a_link_to_a_theory_lands_on_it(tmp_path: Path) -> None:
    report(RESULTS, tmp_path)
    html = (tmp_path / "theories.html").read_text("utf-8")
    wanted, there = (
        re.findall(r'href="#([^"]+)"', html),
        re.findall(r' id="([^"]+)"', html),
    )
    assert sorted(wanted) == sorted(there)
    assert len(wanted) > 20


def test_every_figure_is_shown_with_words_for_those_who_do_not_see_it(
    tmp_path: Path,
) -> None:
    report(RESULTS, tmp_path)
    html = (tmp_path / "overview.html").read_text("utf-8")
    for path in (RESULTS / "figures").glob("*.png"):
        words = path.stem.replace("_", " ")
        assert f'src="figures/{path.name}" alt="Figure: {words}"' in html
        assert (tmp_path / "figures" / path.name).read_bytes() == path.read_bytes()


def test_the_overview_counts_what_holds_with_an_interval(tmp_path: Path) -> None:
    report(RESULTS, tmp_path)
    html = (tmp_path / "overview.html").read_text("utf-8")
    with (RESULTS / "verdicts.csv").open(newline="") as file:
        rows = [r for r in csv.DictReader(file) if r["verdict"] != "not_measured"]
    assert any(row["standing"].startswith("planted") for row in rows)
    for kinds in (("theorem", "derived"), ("extrapolation",)):
        mine = [r["verdict"] for r in rows if r["standing"] in kinds]
        held = sum(verdict == "supported" for verdict in mine)
        share, low, high = (round(100 * x) for x in wilson(held, len(mine)))
        assert f"{held} of {len(mine)} hold ({share} %; {low} to {high} %)" in html


def test_graphs_are_linked_one_by_one_and_regressions_are_named(tmp_path: Path) -> None:
    asv = tmp_path / "asv"
    asv.mkdir()
    names = {"quality.track_a": {"unit": "1 - R2"}, "speed.time_b": {"unit": "seconds"}}
    (asv / "index.json").write_text(json.dumps({"benchmarks": names}))
    found = [["quality.track_a(digits)", "", {}, 0, 0.2, 0.1, []]]
    for regressions, words in (([], "no regression<"), (found, "1 regression<")):
        (asv / "regressions.json").write_text(json.dumps({"regressions": regressions}))
        report(RESULTS, tmp_path)
        html = (tmp_path / "overview.html").read_text("utf-8")
        assert words in html
        for name, about in names.items():
            assert f'href="asv/index.html#{name}"' in html
            assert about["unit"] in html
        marked = re.findall(r'#([\w.]+)">[^<]+</a> <small>[^<]*, a regression', html)
        assert marked == (["quality.track_a"] if regressions else [])


def test_half_of_the_evidence_makes_pages_and_none_is_refused(tmp_path: Path) -> None:
    half, empty = tmp_path / "half", tmp_path / "empty"
    half.mkdir()
    empty.mkdir()
    (half / "verdicts.csv").write_bytes((RESULTS / "verdicts.csv").read_bytes())
    report(half, tmp_path / "out")
    html = (tmp_path / "out" / "leaderboard.html").read_text("utf-8")
    assert "No cell of the leaderboard has been measured" in html
    with pytest.raises(UsageError, match="mae-bench run"):
        evidence(empty)


def test_equal_results_are_equal_bytes(tmp_path: Path) -> None:
    first, second = (report(RESULTS, tmp_path / name) for name in "ab")
    for a, b in zip(first, second, strict=True):
        assert a.read_bytes() == b.read_bytes()


def test_without_graphs_the_overview_says_whether_there_could_be_any(
    tmp_path: Path,
) -> None:
    for measured, words in ((True, "graphs are left out"), (False, "None was kept")):
        verb.report(evidence(RESULTS), tmp_path, measured=measured)
        assert words in (tmp_path / "overview.html").read_text("utf-8")


class Tags(HTMLParser):
    """Every tag of a page with the names of its attributes."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[str, ...]] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, *(name for name, _ in attrs)))


def tags(folder: Path) -> dict[str, list[tuple[str, ...]]]:
    pages = sorted(folder.glob("*.html"))
    return {path.name: Tags(path.read_text("utf-8")).found for path in pages}


def table(name: str) -> list[dict[str, str]]:
    """The first rows of a CSV."""
    with (RESULTS / f"{name}.csv").open(newline="") as file:
        return list(islice(csv.DictReader(file), 2))


def write(folder: Path, name: str, rows: list[dict[str, str]]) -> None:
    with (folder / f"{name}.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


EVERY = [(name, column) for name in COLUMNS for column in table(name)[0]]


def test_no_column_of_a_csv_brings_a_tag_into_a_page(tmp_path: Path) -> None:
    assert len(EVERY) > 120
    for name in COLUMNS:
        write(tmp_path, name, table(name))
    for name, column in EVERY:
        made: list[dict[str, list[tuple[str, ...]]]] = []
        for value in ("plain", HOSTILE):
            write(tmp_path, name, [{**row, column: value} for row in table(name)])
            if column in COLUMNS[name].numbers:
                with pytest.raises(UsageError, match=f"as {column} "):
                    report(tmp_path, tmp_path / "out")
            else:
                report(tmp_path, tmp_path / "out")
                made.append(tags(tmp_path / "out"))
        assert made[:1] == made[1:], (name, column)
        write(tmp_path, name, table(name))


def test_hostile_words_everywhere_are_shown_as_words(tmp_path: Path) -> None:
    for name in COLUMNS:
        words = dict.fromkeys(COLUMNS[name].words, HOSTILE)
        write(tmp_path, name, [row | words for row in table(name)])
    known = evidence(tmp_path)
    picture = tmp_path / f"{HOSTILE.replace('/', '')}.png"
    picture.touch()
    made = Evidence(known.board, known.scores, known.verdicts, [picture])
    asv = tmp_path / "out" / "asv"
    asv.mkdir(parents=True)
    about = {"benchmarks": {HOSTILE: {"unit": HOSTILE}}}
    (asv / "index.json").write_text(json.dumps(about))
    found = {"regressions": [[HOSTILE, "", {}, 0, 0.2, 0.1, []]]}
    (asv / "regressions.json").write_text(json.dumps(found))
    for path in verb.report(made, tmp_path / "out"):
        html = path.read_text("utf-8")
        assert html.count(str(escape(HOSTILE))) >= 2
        assert HOSTILE not in html
        assert not [tag for tag in Tags(html).found if "onerror" in tag]
        assert html.count("<script>") == (path.name != "overview.html")
