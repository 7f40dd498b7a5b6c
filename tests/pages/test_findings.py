import csv
from pathlib import Path

import pytest

from mae_bench.pages.findings import (
    Line,
    Strip,
    counts,
    findings,
    of_budgets,
    of_forecasts,
    of_standings,
)
from mae_bench.verdicts.rank import OF_BOARD

RESULTS = Path(__file__).parent.parent.parent / "results"


def rows(name: str) -> list[dict[str, str]]:
    with (RESULTS / f"{name}.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def method(name: str, track: str, steps: str, cost: str) -> dict[str, str]:
    about = {"dataset": "d", "method": name, "track": track}
    numbers = {"label_probe": steps, "label_probe_at_cost": cost}
    ends = {"label_probe_low": "-0.1", "label_probe_high": "1.2"}
    return dict.fromkeys(OF_BOARD, "") | about | numbers | ends


def test_who_leads_is_said_at_either_budget_with_intervals_that_are_possible() -> None:
    board = [
        method("mae", "pixels", "0.8", "0.8"),
        method("worse", "pixels", "0.7", "0.7"),
        method("moco", "augmentations", "0.9", "0.6"),
        method("best", "reference", "1", "1"),
    ]
    found = of_budgets(board)
    assert found is not None
    assert found.title == "On d moco leads at equal steps, mae at equal cost"
    assert [line.label for strip in found.strips for line in strip.lines] == [
        "mae",
        "moco",
    ] * 2
    assert found.strips[0].lines[0] == Line("mae", 0.8, 0.0, 1.0)
    assert found.strips[1].lines[0].low is None
    board[0]["label_probe"] = "0.95"
    same = of_budgets(board)
    assert same is not None
    assert same.title == "On d mae leads at either budget"
    assert of_budgets(board[:2]) is None


def claim(standing: str, verdict: str) -> dict[str, str]:
    return {"standing": standing, "verdict": verdict}


def test_what_holds_is_counted_by_standing() -> None:
    made = [claim("theorem", "supported"), claim("derived", "refuted")]
    made += [claim("extrapolation", "undecided"), claim("theorem", "not_measured")]
    made += [claim("planted", "refuted"), claim("", "not_measured")]
    found = counts(made)
    assert {name: of["all"] for name, of in found.items()} == {
        "theorems, derived": 3,
        "said beyond": 1,
        "planted nulls": 1,
        "without an experiment": 1,
    }
    said = of_standings(made)
    assert said is not None
    assert said.title == "1 of 2 theorems hold, and 0 of 1 claims that go beyond"
    assert "Refuted are 1 and 0;" in said.text
    assert [line.value for line in said.strips[0].lines] == [0.5, 0.0, 0.0]
    assert of_standings(made[:2]) is None


def skill(theory: str, tau: str, world: str = "w") -> dict[str, str]:
    ends = {"low": "-1.2", "high": "-0.1", "null_low": "-0.3", "null_high": "0.3"}
    return {"theory": theory, "forecast_of": "g", "world": world, "skill": tau} | ends


def test_the_best_forecast_is_named_and_what_is_the_reverse_is_counted() -> None:
    found = of_forecasts([skill("a", "-0.4"), skill("b", "0.2"), skill("c", "", "v")])
    assert found is not None
    assert found.title == "The forecast that orders best is b's"
    assert "2 of 2 forecasts are the reverse" in found.text
    (strip,) = found.strips
    assert strip.lines[1] == Line("a", -0.4, -1.0, -0.1, (-0.3, 0.3))
    assert of_forecasts([skill("a", "0.1"), skill("a", "0.2", "mean")]) is None


def test_the_published_rows_have_three_findings_and_no_rows_have_none() -> None:
    board = sorted(rows("leaderboard"), key=lambda row: row["dataset"] != "mnist")
    made = findings(board, rows("verdicts"), rows("forecasts"))
    assert len(made) == 3
    for finding in made:
        for strip in finding.strips:
            spots = [strip.x(line.value) for line in strip.lines]
            assert all(4 <= spot <= 196 for spot in spots)
            assert all(line.label in strip.said for line in strip.lines)
    assert findings([], [], []) == []


@pytest.mark.parametrize(("value", "x"), [(-1.0, 4.0), (0.0, 100.0), (2.0, 196.0)])
def test_a_strip_is_to_scale_and_ends_at_its_ends(value: float, x: float) -> None:
    strip = Strip("t", [], -1.0, 1.0)
    assert strip.x(value) == x
    assert strip.zero
