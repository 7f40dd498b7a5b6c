import csv
import itertools
import math
from pathlib import Path

import pytest

from mae_bench.pages.cards import Card, axis
from mae_bench.pages.inputs import COLUMNS

RESULTS = Path(__file__).parent.parent.parent / "results"
BLANK = dict.fromkeys([name for part in COLUMNS["verdicts"] for name in part], "")


def claim(**changed: str) -> dict[str, str]:
    measured = {"estimate": "0.3", "ci_low": "0.2", "ci_high": "0.4", "margin": "0.1"}
    facts = {"prediction": "t/A", "form": "contrast", "verdict": "supported"}
    return BLANK | measured | facts | changed


def test_the_line_is_to_scale_and_beyond_the_margin_is_claimed() -> None:
    found = axis(claim(difference="0.5"))
    assert found is not None
    assert found.control == pytest.approx(-0.2)
    assert found.claimed == (0.1, math.inf)
    spots = [float(found.x(v)) for v in (-0.2, 0.0, 0.1, 0.3, 0.4)]
    steps = [b - a for a, b in itertools.pairwise(spots)]
    assert steps[0] == pytest.approx(2 * steps[1], abs=0.2)
    assert steps[2] == pytest.approx(2 * steps[3], abs=0.2)
    assert found.x(math.inf) == "352.0"
    assert found.said == (
        "effect 0.300; 95 % interval 0.200 to 0.400; claimed: above 0.100; "
        "control \N{MINUS SIGN}0.200"
    )


@pytest.mark.parametrize(
    ("form", "ends"),
    [
        ("equality", (-0.1, 0.1)),
        ("equivalence", (-0.1, 0.1)),
        ("bound", (-0.1, math.inf)),
    ],
)
def test_closeness_and_bounds_are_claimed_inside(
    form: str, ends: tuple[float, float]
) -> None:
    found = axis(claim(form=form))
    assert found is not None
    assert found.claimed == ends
    assert found.margins == [end for end in ends if math.isfinite(end)]


def test_what_is_not_known_is_not_drawn() -> None:
    assert axis(claim(estimate="")) is None
    assert axis(claim(estimate="nan")) is None
    alone = axis(claim(ci_low="", ci_high=""))
    assert alone is not None
    assert alone.interval is None
    several = axis(claim(difference="0.5", conditions="a 1; b 2"))
    assert several is not None
    assert several.control is None
    same = axis(claim(estimate="0", ci_low="0", ci_high="0", margin="0"))
    assert same is not None
    assert same.low < 0 < same.high


def test_every_published_estimate_has_a_line_that_holds_all_of_it() -> None:
    with (RESULTS / "verdicts.csv").open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["estimate"]]
    assert len(rows) > 100
    for row in rows:
        found = axis(row)
        assert found is not None
        for mark in (found.effect, *(found.interval or ()), *found.margins, 0.0):
            assert found.low < mark < found.high


def test_a_card_says_whose_seeds_ruled_and_why() -> None:
    row = claim(phase="pilot", control_verdict="refuted", reason="so it is")
    assert Card(row, "A").said == [
        "By the pilot's seeds.",
        "Its control: refuted.",
        "So it is.",
    ]
    new = claim(phase="confirmatory", confirmed="no")
    assert Card(new, "A").said[:2] == ["By new seeds.", "Confirms the pilot: no."]
    open_ = claim(control_verdict="undecided", reason="its control is undecided")
    assert Card(open_, "A").said[1:] == ["Its control is undecided."]
    lost = claim(verdict="not_measured", claim="c", reason="no row has a value")
    assert Card(lost, "A").said == ["Not measured.", "No row has a value."]


def test_the_numbers_behind_are_those_that_are_known() -> None:
    row = claim(n_seeds="5", e_value="436.452", more_seeds="inf", metric="mcc")
    assert Card(row, "A").facts == {
        "form": "contrast",
        "metric": "mcc",
        "seeds": "5",
        "e-value": "436.5",
        "more seeds to decide": "no number",
    }


def test_the_reason_of_the_margin_is_told_where_it_is_known() -> None:
    assert Card(claim(), "A").words == {}
    told = Card(claim(margin_reason="float error"), "A").words
    assert told == {"why this margin": "float error"}


def test_the_command_names_experiment_and_tier_and_is_safe_to_paste() -> None:
    assert Card(claim(), "A").again == ""
    mine = Card(claim(experiment="mask_ratio"), "A", tier="smoke")
    assert mine.again == "mae-bench run --experiment mask_ratio --tier smoke"
    hostile = Card(claim(experiment="a; rm -rf /"), "A")
    assert hostile.again == "mae-bench run --experiment 'a; rm -rf /'"
