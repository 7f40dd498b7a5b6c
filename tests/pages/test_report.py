import csv
import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from itertools import islice
from pathlib import Path
from shutil import rmtree
from urllib.parse import unquote, urlsplit

import pytest
from markupsafe import escape

from mae_bench.pages import report as verb
from mae_bench.pages import scorecard
from mae_bench.pages.inputs import COLUMNS
from mae_bench.pages.page import PAGES
from mae_bench.pages.report import Evidence, evidence
from mae_bench.records import registry
from mae_bench.records.schema import UsageError
from mae_bench.records.stats import wilson

RESULTS = Path(__file__).parent.parent.parent / "results"
HOSTILE = '<script>alert(1)</script>"><img src=x onerror=alert(1)>'


def report(results: Path, output: Path) -> list[Path]:
    return verb.report(evidence(results), output)


class Links(HTMLParser):
    """What a page links to or loads, its anchors, and images with their words."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.targets: list[str] = []
        self.anchors: list[str] = []
        self.images: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        known = dict(attrs)
        self.targets += [str(known[k]) for k in ("href", "src") if k in known]
        self.anchors += [str(known["id"])] if "id" in known else []
        self.images += [str(known.get("alt"))] if tag == "img" else []


def broken(folder: Path) -> list[str]:
    """Links of a site that lead nowhere, out of it, or to no anchor."""
    pages = {path: Links(path.read_text("utf-8")) for path in folder.rglob("*.html")}
    found = []
    for path, page in pages.items():
        for target in page.targets:
            parts = urlsplit(target)
            aim = path.parent / unquote(parts.path) if parts.path else path
            aim = aim.resolve()
            wrong = bool(parts.scheme) or not aim.is_file()
            if not wrong and parts.fragment:
                there = pages[aim].anchors if aim in pages else []
                wrong = unquote(parts.fragment) not in there
            found += [f"{path.name}: {target}"] * (wrong and parts.scheme != "data")
    return found


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site of the published results; not to be changed."""
    output = tmp_path_factory.mktemp("built").resolve()
    report(RESULTS, output)
    return output


def test_every_link_of_the_site_leads_to_what_is_there(built: Path) -> None:
    pages = list(built.rglob("*.html"))
    assert len(pages) > 25
    assert sum(len(Links(p.read_text("utf-8")).targets) for p in pages) > 1000
    assert broken(built) == []


def test_a_link_that_leads_nowhere_is_found(tmp_path: Path) -> None:
    (tmp_path / "a.html").write_text('<p id="x"><a href="#x"><a href="#y">')
    (tmp_path / "b.html").write_text(
        '<a href="a.html#x"><a href="c.html"><img src="d">'
    )
    (tmp_path / "e.html").write_text('<a href="https://f"><a href="a.html#z">')
    found = ["a.html: #y", "b.html: c.html", "b.html: d"]
    assert sorted(broken(tmp_path.resolve())) == [
        *found,
        "e.html: a.html#z",
        "e.html: https://f",
    ]


def test_every_prediction_has_a_card_at_its_address(built: Path) -> None:
    seen = 0
    for row in table("verdicts", None):
        theory, _, number = row["prediction"].partition("/")
        html = (built / "theories" / f"{theory}.html").read_text("utf-8")
        card = html.partition(f'id="{number}">')[2].partition("</section>")[0]
        claim = str(escape(row["claim"] or row["reason"]))
        assert claim in card
        word = row["verdict"].replace("_", " ")
        assert f"</span>&nbsp;{word}</span>" in card
        sign = scorecard.SIGNS[row["verdict"]]
        assert f'<span aria-hidden="true">{sign}</span>' in card
        assert ("mae-bench run --experiment" in card) == bool(row["experiment"])
        assert ('class="axis"' in card) == bool(row["estimate"])
        seen += 1
    assert seen > 200


def test_a_theory_says_what_it_is_and_what_it_assumes(built: Path) -> None:
    html = (built / "theories" / "hierarchical_latents.html").read_text("utf-8")
    assert "Kong et al., CVPR 2023" in html
    assert "there is a unique minimal set c of latents" in html.replace("\n", " ")
    assert "the loss is minimised" in html


def test_figures_say_what_they_show_and_stale_ones_are_left_out(built: Path) -> None:
    page = Links((built / "figures.html").read_text("utf-8"))
    assert all(len(words) > 60 for words in page.images)
    there = {path.stem for path in (built / "figures").glob("*.png")}
    assert len(page.images) == len(there)
    assert "mask_ratio" in there
    measured = {path.stem for path in (RESULTS / "measurements").glob("*.csv")}
    assert there & set(registry.names("experiments")) <= measured


def test_a_figure_whose_rows_are_no_more_is_not_shown(tmp_path: Path) -> None:
    (tmp_path / "figures").mkdir()
    (tmp_path / "measurements").mkdir()
    for name in ("mask_ratio", "uniformity", "verdicts"):
        (tmp_path / "figures" / f"{name}.png").touch()
    (tmp_path / "measurements" / "uniformity.csv").touch()
    shown = [path.stem for path in evidence(tmp_path).figures]
    assert shown == ["uniformity", "verdicts"]


def test_the_front_page_is_light_and_every_page_says_whence_it_is(built: Path) -> None:
    front = built / "overview.html"
    assert front.stat().st_size < 60_000
    assert Links(front.read_text("utf-8")).images == []
    for path in built.rglob("*.html"):
        html = path.read_text("utf-8")
        if path.name != "index.html":
            assert "tier quick, seeds 0 to " in html
            assert "judged by seeds of the pilot" in html


def test_the_overview_counts_what_holds_with_an_interval(built: Path) -> None:
    html = (built / "overview.html").read_text("utf-8")
    rows = [r for r in table("verdicts", None) if r["verdict"] != "not_measured"]
    assert any(row["standing"].startswith("planted") for row in rows)
    for kinds in (("theorem", "derived"), ("extrapolation",)):
        mine = [r["verdict"] for r in rows if r["standing"].split(",")[0] in kinds]
        held = sum(verdict == "supported" for verdict in mine)
        share, low, high = (round(100 * x) for x in wilson(held, len(mine)))
        words = f"{held} of {len(mine)} hold ({share} %; {low} to {high} %)"
        assert words in html.replace("\n", " ")
    assert html.count("<h3>") == 3


def test_a_folder_without_results_is_a_page_that_says_so(tmp_path: Path) -> None:
    (tmp_path / "results").mkdir()
    report(tmp_path / "results", tmp_path / "out")
    assert broken((tmp_path / "out").resolve()) == []
    said = {
        "overview": "Nothing has been measured",
        "leaderboard": "No cell of the leaderboard has been measured",
        "theories": "No prediction has been judged",
        "figures": "No figure has been drawn",
    }
    for name, words in said.items():
        assert words in (tmp_path / "out" / f"{name}.html").read_text("utf-8")


@pytest.mark.parametrize("count", [0, 1])
def test_one_method_or_none_is_a_board_of_so_many(count: int, tmp_path: Path) -> None:
    rows = table("leaderboard", 2)
    write(tmp_path, "leaderboard", rows[:1])
    if count == 0:
        head = (tmp_path / "leaderboard.csv").read_text().partition("\n")[0]
        (tmp_path / "leaderboard.csv").write_text(f"{head}\n")
    report(tmp_path, tmp_path / "out")
    html = (tmp_path / "out" / "leaderboard.html").read_text("utf-8")
    assert html.count("<tr data-track") == count
    front = (tmp_path / "out" / "overview.html").read_text("utf-8")
    assert f"{count} method{'s' * (count != 1)} on" in front.replace("\n", " ")
    assert broken((tmp_path / "out").resolve()) == []


def test_half_of_the_evidence_makes_pages_and_no_folder_is_refused(
    tmp_path: Path,
) -> None:
    half = tmp_path / "half"
    half.mkdir()
    (half / "verdicts.csv").write_bytes((RESULTS / "verdicts.csv").read_bytes())
    report(half, tmp_path / "out")
    html = (tmp_path / "out" / "leaderboard.html").read_text("utf-8")
    assert "No cell of the leaderboard has been measured" in html
    assert broken((tmp_path / "out").resolve()) == []
    with pytest.raises(UsageError, match="mae-bench run"):
        evidence(tmp_path / "nowhere")


def test_equal_results_are_equal_bytes_and_theories_come_last(
    built: Path, tmp_path: Path
) -> None:
    pages = report(RESULTS, tmp_path)
    for path in pages:
        first = built / path.relative_to(tmp_path)
        assert first.read_bytes() == path.read_bytes()
    names = [path.relative_to(tmp_path).as_posix() for path in pages]
    assert names[:4] == [f"{name}.html" for name in PAGES]
    assert {path.name for path in (built / "theories").iterdir()} == {
        name.removeprefix("theories/") for name in names[4:]
    }
    assert names[-1] == "theories/planted_nulls.html"


def test_graphs_are_linked_one_by_one_and_regressions_are_named(tmp_path: Path) -> None:
    asv = tmp_path / "asv"
    asv.mkdir()
    names = {"quality.track_a": {"unit": "1 - R2"}, "speed.time_b": {"unit": "seconds"}}
    (asv / "index.json").write_text(json.dumps({"benchmarks": names}))
    found = [["quality.track_a(digits)", "", {}, 0, 0.2, 0.1, []]]
    for regressions, words in (([], "no regression<"), (found, "1 regression<")):
        (asv / "regressions.json").write_text(json.dumps({"regressions": regressions}))
        verb.report(Evidence([], [], []), tmp_path)
        html = (tmp_path / "overview.html").read_text("utf-8")
        assert words in html
        for name, about in names.items():
            assert f'href="asv/index.html#{name}"' in html
            assert about["unit"] in html
        marked = re.findall(r'#([\w.]+)">[^<]+</a> <small>[^<]*, a regression', html)
        assert marked == (["quality.track_a"] if regressions else [])


def test_without_graphs_the_overview_says_whether_there_could_be_any(
    tmp_path: Path,
) -> None:
    for measured, words in ((True, "graphs are left out"), (False, "None was kept")):
        verb.report(Evidence([], [], []), tmp_path, measured=measured)
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


def tags(folder: Path) -> list[list[tuple[str, ...]]]:
    """Of every page; that of a theory has another name with another theory."""
    pages = folder.rglob("*.html")
    return sorted(Tags(path.read_text("utf-8")).found for path in pages)


def table(name: str, count: int | None = 2) -> list[dict[str, str]]:
    """The first rows of a CSV."""
    with (RESULTS / f"{name}.csv").open(newline="") as file:
        return list(islice(csv.DictReader(file), count))


def write(folder: Path, name: str, rows: list[dict[str, str]]) -> None:
    with (folder / f"{name}.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def test_no_column_of_a_csv_brings_a_tag_into_a_page(tmp_path: Path) -> None:
    for name in COLUMNS:
        write(tmp_path, name, table(name))
    for name, (words, numbers, _) in COLUMNS.items():
        unread = {*table(name)[0]} - {*words, *numbers}
        for columns in [[word] for word in words] + [sorted(unread)]:
            made = []
            for value in ("plain", HOSTILE):
                changed = dict.fromkeys(columns, value)
                write(tmp_path, name, [row | changed for row in table(name)])
                report(tmp_path, tmp_path / "out")
                made.append(tags(tmp_path / "out"))
                rmtree(tmp_path / "out")  # a theory's page is named by it
            assert made[0] == made[1], (name, columns)
        for column in numbers:
            write(tmp_path, name, [{**row, column: HOSTILE} for row in table(name)])
            with pytest.raises(UsageError, match=f"as {column} "):
                evidence(tmp_path)
        write(tmp_path, name, table(name))


def test_hostile_words_everywhere_are_shown_as_words(tmp_path: Path) -> None:
    for name in COLUMNS:
        words = dict.fromkeys(COLUMNS[name].words, HOSTILE)
        write(tmp_path, name, [row | words for row in table(name)])
    known = evidence(tmp_path)
    picture = tmp_path / f"{HOSTILE.replace('/', '')}.png"
    picture.touch()
    made = replace(known, figures=[picture])
    asv = tmp_path / "out" / "asv"
    asv.mkdir(parents=True)
    about = {"benchmarks": {HOSTILE: {"unit": HOSTILE}}}
    (asv / "index.json").write_text(json.dumps(about))
    found = {"regressions": [[HOSTILE, "", {}, 0, 0.2, 0.1, []]]}
    (asv / "regressions.json").write_text(json.dumps(found))
    pages = verb.report(made, tmp_path / "out")
    assert len(pages) == len(PAGES) + 1
    for path in pages:
        html = path.read_text("utf-8")
        if path.stem != "figures":
            assert html.count(str(escape(HOSTILE))) >= 2
        assert HOSTILE not in html
        assert not [tag for tag in Tags(html).found if "onerror" in tag]
        bare = path.stem in ("overview", "figures")
        assert html.count("<script>") == (not bare)
