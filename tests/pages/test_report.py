import csv
import json
import re
from pathlib import Path

import pytest

from mae_bench.pages.report import report
from mae_bench.records.schema import UsageError
from mae_bench.records.stats import wilson

RESULTS = Path(__file__).parent.parent.parent / "results"


def test_the_pages_link_only_to_what_is_there(tmp_path: Path) -> None:
    pages = report(RESULTS, tmp_path, ["vendor/a.js"])
    assert [p.name for p in pages] == [
        "overview.html",
        "leaderboard.html",
        "theories.html",
    ]
    (tmp_path / "vendor").mkdir()
    (tmp_path / "vendor" / "a.js").touch()
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
        report(empty, tmp_path / "none")
    assert not (tmp_path / "none").exists()


def test_equal_results_are_equal_bytes(tmp_path: Path) -> None:
    first, second = (report(RESULTS, tmp_path / name) for name in "ab")
    for a, b in zip(first, second, strict=True):
        assert a.read_bytes() == b.read_bytes()
