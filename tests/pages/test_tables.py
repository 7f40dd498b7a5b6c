import csv
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from mae_bench.pages import scorecard, tables
from mae_bench.pages.inputs import COLUMNS
from mae_bench.pages.page import number
from mae_bench.pages.report import Evidence, Report
from mae_bench.pages.tables import POSSIBLE, boards_of
from mae_bench.pages.whence import Whence
from mae_bench.verdicts.rank import SHOWN

DASH = "\N{EN DASH}"
RESULTS = Path(__file__).parent.parent.parent / "results"


def leaderboard(board: list[dict[str, str]]) -> str:
    return tables.leaderboard(board, whence=Whence())


def theories(scores: list[dict[str, str]], verdicts: list[dict[str, str]]) -> str:
    made = Report(Evidence([], scores, verdicts)).pages(None, measured=False)
    return next(html for name, html in made if name == "theories.html")


def rows(name: str) -> list[dict[str, str]]:
    with (RESULTS / f"{name}.csv").open(newline="") as file:
        return list(csv.DictReader(file))


class Tables(HTMLParser):
    """Every table of a page as rows of (what is shown, what it is sorted by)."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[list[list[tuple[str, str]]]] = []
        self.titles: list[str] = []
        self.feed(html.replace("<wbr>", ""))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "table":
            self.found.append([])
        elif tag == "tr":
            self.found[-1].append([])
        elif tag in ("td", "th"):
            self.in_cell = True
            key = dict(attrs).get("data-value")
            self.found[-1][-1].append(("", key or ""))
        elif tag == "h2":
            self.titles.append("")
            self.at_title = True

    def handle_endtag(self, tag: str) -> None:
        self.at_title = self.at_title and tag != "h2"
        self.in_cell = self.in_cell and tag not in ("td", "th")

    at_title = in_cell = False

    def handle_data(self, data: str) -> None:
        if self.at_title:
            self.titles[-1] += data
        elif self.in_cell:
            shown, key = self.found[-1][-1][-1]
            self.found[-1][-1][-1] = (f"{shown} {data.strip()}".strip(), key)


def test_every_number_of_the_leaderboard_has_interval_seeds_rank_and_its_ends() -> None:
    board = rows("leaderboard")
    page = Tables(leaderboard(board))
    assert page.titles[:2] == ["mnist", "random_hierarchy"]
    assert page.titles[2:] == sorted(
        {row["dataset"] for row in board} - {*page.titles[:2]}
    )
    seen = 0
    for dataset, lines in zip(page.titles, page.found, strict=True):
        mine = [row for row in board if row["dataset"] == dataset]
        shown = [h for h in SHOWN if any(row[h.name] for row in mine)]
        assert len(lines) == 1 + len(mine)
        for row, line in zip(mine, lines[1:], strict=True):
            assert (line[0][1], line[1][0]) == (row["method"], row["track"])
            assert [word for word, _ in line[-2:]] == [row["coverage"], row["status"]]
            for h, title, (words, key) in zip(
                shown,
                lines[0][2 : 2 + len(shown)],
                line[2 : 2 + len(shown)],
                strict=True,
            ):
                if not row[h.name]:
                    assert words == DASH
                    continue
                seen += 1
                assert key == row[h.name]
                least, most = POSSIBLE[h.name]
                ends = [float(row[h.name + end]) for end in ("_low", "_high")]
                low, high = (number(f"{min(max(x, least), most):g}") for x in ends)
                assert words.startswith(f"{number(row[h.name])} {low} to {high}")
                assert f"n {row[f'{h.name}_n_seeds']}" in words
                best, worst = (row[f"{h.name}_rank_{end}"] for end in ("best", "worst"))
                rank = re.search(rf"rank (\d+)(?:{DASH}(\d+))?", words)
                ranks = ("", "") if rank is None else (rank[1], rank[2] or rank[1])
                assert ranks == (best, worst)
                known = h.direction != "none"
                roles = ("floor", "ceiling") if known else ("untrained", "causes")
                for end, role in zip(("floor", "ceiling"), roles, strict=True):
                    if row[f"{h.name}_{end}"]:
                        assert f"{role} {number(row[f'{h.name}_{end}'])}" in title[0]
    assert seen > 40


def made_up(**numbers: str) -> dict[str, str]:
    blank = dict.fromkeys(rows("leaderboard")[0], "")
    about = {"dataset": "d", "method": "m", "coverage": "4/5", "status": "diverged 1"}
    return {**blank, **about, **numbers}


def test_the_read_out_that_a_method_chose_is_named_where_its_number_is() -> None:
    html = leaderboard([made_up(label_probe="0.5", label_probe_read="linear cls")])
    assert html.count("linear cls") == 1
    other = made_up(linear_probe="0.5", label_probe_read="linear cls")
    assert "linear cls" not in leaderboard([other])


def line_of(html: str) -> tuple[float, float, float]:
    """Ends of the interval and the dot, on the strip from 0 to 100."""
    ends = re.search(r"M([\d.]+) 5H([\d.]+)", html)
    dot = re.search(r'cx="([\d.]+)"', html)
    assert ends
    assert dot
    return float(ends[1]), float(ends[2]), float(dot[1])


def test_the_strip_is_drawn_to_scale_between_floor_and_ceiling() -> None:
    parts = {"": "0.5", "_low": "0.25", "_high": "0.75", "_n_seeds": "5"}
    parts |= {"_floor": "0", "_ceiling": "1"}
    name = SHOWN[0].name
    html = leaderboard([made_up(**{name + k: v for k, v in parts.items()})])
    assert line_of(html) == (26.0, 74.0, 50.0)


def test_the_first_and_all_that_are_tied_with_it_are_bold() -> None:
    name = SHOWN[0].name
    ranks = [("1", "2"), ("1", "3"), ("2", "3"), ("", "")]
    made = [
        made_up(
            **{name: "0.5", f"{name}_rank_best": a, f"{name}_rank_worst": b},
            method=f"m{i}",
        )
        for i, (a, b) in enumerate(ranks)
    ]
    html = leaderboard(made)
    assert html.count('<td class="first"') == 2
    assert html.count("rank 1\N{EN DASH}2") == 1
    assert html.count("rank 1\N{EN DASH}3") == 1


def test_a_failed_cell_and_a_single_seed_are_said_and_not_filled_in() -> None:
    name = SHOWN[0].name
    html = leaderboard([made_up(**{name: "0.5", f"{name}_n_seeds": "1"})])
    for word in ("no interval", "4/5", "diverged 1", "n 1"):
        assert word in html
    assert "No cell of the leaderboard has been measured" in leaderboard([])


def test_what_is_missing_has_no_key_and_the_better_comes_first() -> None:
    for headline in SHOWN:
        html = leaderboard([made_up(**{headline.name: "0.5"}), made_up(method="lost")])
        lines = Tables(html).found[0]
        assert [line[2] for line in lines[2:]] == [(DASH, "")]
        assert lines[1][2][1] == "0.5"
        start = re.search(r'data-sort="number" data-start="(\w+)"', html)
        rising = start is not None and start[1] == "ascending"
        assert rising == (headline.direction == "min")


def test_an_interval_ends_where_its_metric_does() -> None:
    ends = {"": "0.9", "_low": "-0.2", "_high": "1.3", "_n_seeds": "2"}
    html = leaderboard([made_up(**{f"linear_probe{k}": v for k, v in ends.items()})])
    assert "0.000 to 1.000" in html
    html = leaderboard(
        [made_up(**{f"linear_r2_level_0{k}": v for k, v in ends.items()})]
    )
    assert "\N{MINUS SIGN}0.200 to 1.000" in html


def test_worlds_of_both_budgets_come_first_and_have_their_curves() -> None:
    way = {"label_probe_at_1_8": "0.2", "label_probe_at_1_2": "0.6", "label_probe": "1"}
    made = [
        made_up(dataset="a", label_probe="0.5"),
        made_up(dataset="z", label_probe_at_cost="0.4", **way),
    ]
    last, first = (board.dataset for board in boards_of(made)), "z"
    assert next(last) == first
    points = boards_of(made)[0].curve(made[1])
    assert [(p.at, p.x, p.y) for p in points] == [
        ("0.125 of the steps", "14.8", "27.0"),
        ("0.5 of the steps", "50.0", "15.0"),
        ("1 of the steps", "97.0", "3.0"),
    ]
    html = leaderboard(made)
    assert html.count('<svg class="curve"') == 1
    assert "0.200 at 0.125 of the steps, 0.600 at 0.5 of the steps" in html


def test_columns_of_either_budget_are_marked_for_those_who_choose() -> None:
    html = leaderboard([made_up(label_probe="0.5", label_probe_at_cost="0.4")])
    choices = re.findall(r'data-shows="(\w+)" data-of="(\w+)"( checked)?', html)
    assert choices == [
        ("label_probe", "steps", " checked"),
        ("label_probe_at_cost", "cost", " checked"),
        ("curve", "steps", " checked"),
    ]
    assert 'data-column="label_probe_at_cost"' in html
    alone = leaderboard([made_up(linear_probe="0.5", mcc_level_0="0.4")])
    choices = re.findall(r'data-shows="(\w+)" data-of="steps"( checked)?', alone)
    assert choices[:2] == [("mcc_level_0", " checked"), ("linear_probe", " checked")]


def test_every_prediction_is_listed_with_its_interval() -> None:
    verdicts, scores = rows("verdicts"), rows("theories")
    page = Tables(theories(scores, verdicts))
    assert page.titles == ["Theories", "Predictions"]
    lines = {line[0][1]: line for line in page.found[1][1:]}
    assert set(lines) == {row["prediction"] for row in verdicts}
    for row in verdicts:
        words = [shown for shown, _ in lines[row["prediction"]]]
        assert words[0].startswith(row["prediction"].removeprefix(f"{row['theory']}/"))
        assert words[1] == (row["claim"] or row["reason"])
        assert words[2].endswith(row["verdict"].replace("_", " "))
        if row["verdict"] == "not_measured":
            assert words[3:8] == [DASH] * 5
            continue
        ends = [number(row[k]) for k in ("estimate", "ci_low", "ci_high")]
        told = "{} {} to {}" if row["ci_low"] else "{} no interval"
        assert words[3] == (told.format(*ends) if row["estimate"] else DASH)
        assert words[4:6] == [number(row["margin"]), row["n_seeds"]]
        assert words[6] == number(row["e_value"])


def test_a_page_of_a_smoke_test_says_that_it_is_no_evidence() -> None:
    said = "tier smoke (which is not evidence), seeds 0 to 1"
    assert said in tables.leaderboard([], whence=Whence(("smoke",), "0 to 1"))
    assert "evidence)" not in tables.leaderboard([], whence=Whence(("quick",), "0"))


def test_theories_are_counted_and_the_most_measured_comes_first() -> None:
    scores, given = rows("theories"), {row["verdict"] for row in rows("verdicts")}
    page = Tables(theories(scores, rows("verdicts")))
    lines = {line[0][0]: line for line in page.found[0][1:]}
    measured = []
    for name, line in lines.items():
        (row,) = (row for row in scores if row["theory"] == name)
        counts = [row[verdict] for verdict in scorecard.COLOURS if verdict in given]
        end = 2 + len(counts)
        assert [shown for shown, _ in line[2:end]] == counts
        for (shown, _), part in zip(
            line[end : end + 2], ("theorem", "extrapolation"), strict=True
        ):
            for bound in ("low", "high", "score"):
                assert number(row[f"{part}_{bound}"]) in shown
        skill, share = row["forecast_skill"], row["forecast_coverage"]
        assert number(skill) in line[end + 2][0]
        assert not skill or row["forecast_of"] in line[end + 2][0]
        assert ("of its grid" in line[end + 2][0]) == bool(skill and float(share) < 1)
        if name != "planted_nulls":
            measured.append(int(row["predictions"]) - int(row["not_measured"]))
    assert measured == sorted(measured, reverse=True)
    assert list(lines)[-1] == "planted_nulls"


@pytest.mark.parametrize("verdict", scorecard.COLOURS)
def test_a_verdict_has_the_colour_of_the_figure(verdict: str) -> None:
    row = {**dict.fromkeys(rows("verdicts")[0], ""), "theory": "t"}
    row |= {"prediction": "t/A", "verdict": verdict}
    score = dict.fromkeys(rows("theories")[0], "") | {"theory": "t"}
    score |= dict.fromkeys(("predictions", *scorecard.COLOURS), "0")
    html = theories([score], [row]).partition("Predictions</h2>")[2]
    colour, word = scorecard.COLOURS[verdict], verdict.replace("_", " ")
    sign = f'<span aria-hidden="true">{scorecard.SIGNS[verdict]}</span>&nbsp;{word}<'
    assert f'style="--c: {colour}">{sign}' in html


def test_a_template_escapes_also_what_should_be_a_number() -> None:
    hostile, shown = "<script>alert(1)</script>", set()
    for page, name in ((leaderboard, "leaderboard"), (verdicts_page, "verdicts")):
        row = next(r for r in rows(name) if r.get("verdict") != "not_measured")
        for column in COLUMNS[name].numbers:
            try:
                html = page([{**row, column: hostile}])
            except ValueError:  # it was reckoned with
                continue
            assert hostile not in html
            if "&lt;script&gt;alert(1)" in html:
                shown.add(column)
    assert {"n_seeds", "linear_probe_n_seeds", "linear_probe_rank_best"} <= shown


def verdicts_page(verdicts: list[dict[str, str]]) -> str:
    scores = [s for s in rows("theories") if s["theory"] == verdicts[0]["theory"]]
    return theories(scores, verdicts)
