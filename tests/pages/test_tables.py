import csv
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from mae_bench.pages import scorecard
from mae_bench.pages.page import number
from mae_bench.pages.tables import COLUMNS, leaderboard, read, theories
from mae_bench.records.schema import UsageError
from mae_bench.verdicts.rank import SHOWN

DASH = "\N{EN DASH}"
RESULTS = Path(__file__).parent.parent.parent / "results"


def rows(name: str) -> list[dict[str, str]]:
    with (RESULTS / name).open(newline="") as file:
        return list(csv.DictReader(file))


class Tables(HTMLParser):
    """Every table of a page as rows of (what is shown, what it is sorted by)."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[list[list[tuple[str, str]]]] = []
        self.titles: list[str] = []
        self.feed(html)

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
    board = rows("leaderboard.csv")
    page = Tables(leaderboard(board))
    assert page.titles == list(dict.fromkeys(row["dataset"] for row in board))
    seen = 0
    for dataset, lines in zip(page.titles, page.found, strict=True):
        mine = [row for row in board if row["dataset"] == dataset]
        shown = [h for h in SHOWN if any(row[h.name] for row in mine)]
        assert len(lines) == 1 + len(mine)
        for row, line in zip(mine, lines[1:], strict=True):
            assert (line[0][1], line[1][0]) == (row["method"], row["track"])
            assert [word for word, _ in line[-2:]] == [row["coverage"], row["status"]]
            for h, title, (words, key) in zip(
                shown, lines[0][2:-2], line[2:-2], strict=True
            ):
                if not row[h.name]:
                    assert words == DASH
                    continue
                seen += 1
                assert key == row[h.name]
                low, high = (number(row[h.name + end]) for end in ("_low", "_high"))
                assert words.startswith(f"{number(row[h.name])} {low} to {high}")
                assert f"n {row[f'{h.name}_n_seeds']}" in words
                best, worst = (row[f"{h.name}_rank_{end}"] for end in ("best", "worst"))
                rank = re.search(rf"rank (\d+)(?:{DASH}(\d+))?", words)
                ranks = ("", "") if rank is None else (rank[1], rank[2] or rank[1])
                assert ranks == (best, worst)
                for end in ("floor", "ceiling"):
                    if row[f"{h.name}_{end}"]:
                        assert f"{end} {number(row[f'{h.name}_{end}'])}" in title[0]
    assert seen > 40


def made_up(**numbers: str) -> dict[str, str]:
    blank = dict.fromkeys(rows("leaderboard.csv")[0], "")
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


def test_a_csv_is_read_and_none_is_no_rows(tmp_path: Path) -> None:
    assert read(RESULTS / "verdicts.csv") == rows("verdicts.csv")
    assert read(tmp_path / "verdicts.csv") == []


@pytest.mark.parametrize("name", COLUMNS)
def test_a_csv_that_lacks_a_column_is_refused_by_its_name(
    name: str, tmp_path: Path
) -> None:
    words, numbers = COLUMNS[name]
    for lost in (*words, *numbers):
        path = tmp_path / f"{name}.csv"
        path.write_text(",".join({*words, *numbers} - {lost}) + "\n")
        with pytest.raises(UsageError, match=rf"{name}\.csv lacks {lost}$"):
            read(path)


def test_a_number_that_is_none_is_refused_with_its_place(tmp_path: Path) -> None:
    path = tmp_path / "verdicts.csv"
    columns = [name for part in COLUMNS["verdicts"] for name in part]
    lines = [",".join(columns), *(f"{v}," * columns.index("margin") + v for v in "12")]
    path.write_text("\n".join([*lines, "," * columns.index("margin") + "about 1"]))
    with pytest.raises(UsageError, match="row 4 has as margin 'about 1'"):
        read(path)


def test_every_prediction_stands_under_its_theory_with_its_interval() -> None:
    verdicts, scores = rows("verdicts.csv"), rows("theories.csv")
    page = Tables(theories(scores, verdicts))
    assert set(page.titles) == {row["theory"] for row in scores}
    assert len(page.found) == 1 + len(page.titles)
    for theory, lines in zip(page.titles, page.found[1:], strict=True):
        mine = [row for row in verdicts if row["theory"] == theory]
        for row, line in zip(mine, lines[1:], strict=True):
            words = [shown for shown, _ in line]
            assert words[0] == row["prediction"].removeprefix(f"{theory}/")
            assert words[1] == row["verdict"].replace("_", " ")
            if row["verdict"] == "not_measured":
                assert words[2:9] == [DASH] * 6 + [""]
                assert words[11].endswith(row["reason"])
                continue
            ends = [number(row[k]) for k in ("estimate", "ci_low", "ci_high")]
            assert words[2] == (
                "{} {} to {}".format(*ends) if row["estimate"] else DASH
            )
            assert words[3] == number(row["margin"])
            assert words[4] == row["n_seeds"]
            assert words[5] == number(row["e_value"])


def test_theories_are_counted_and_the_most_measured_comes_first() -> None:
    scores = rows("theories.csv")
    page = Tables(theories(scores, []))
    lines = {line[0][0]: line for line in page.found[0][1:]}
    measured = []
    for name, line in lines.items():
        (row,) = (row for row in scores if row["theory"] == name)
        counts = [row[verdict] for verdict in scorecard.COLOURS]
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
        measured.append(int(row["predictions"]) - int(row["not_measured"]))
    assert measured == sorted(measured, reverse=True)


@pytest.mark.parametrize("verdict", scorecard.COLOURS)
def test_a_verdict_has_the_colour_of_the_figure(verdict: str) -> None:
    row = {**dict.fromkeys(rows("verdicts.csv")[0], ""), "theory": "t"}
    row |= {"prediction": "t/A", "verdict": verdict}
    score = dict.fromkeys(rows("theories.csv")[0], "") | {"theory": "t"}
    score |= dict.fromkeys(("predictions", *scorecard.COLOURS), "0")
    html = theories([score], [row]).partition('id="t"')[2]
    colour = scorecard.COLOURS[verdict]
    assert f'style="--c: {colour}">{verdict.replace("_", " ")}<' in html


def test_a_template_escapes_also_what_should_be_a_number() -> None:
    hostile, shown = "<script>alert(1)</script>", set()
    for page, name in ((leaderboard, "leaderboard"), (verdicts_page, "verdicts")):
        row = next(r for r in rows(f"{name}.csv") if r.get("verdict") != "not_measured")
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
    scores = [s for s in rows("theories.csv") if s["theory"] == verdicts[0]["theory"]]
    return theories(scores, verdicts)
