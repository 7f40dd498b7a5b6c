import math
from typing import Any

import matplotlib as mpl

mpl.use("agg")

import pandas as pd
import pytest
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from mae_bench.pages.scorecard import COLOURS, NEW, effects, tiles


def claim(number: str, verdict: str, **changed: Any) -> dict[str, Any]:
    measured = verdict != "not_measured"
    return {
        "prediction": number,
        "theory": number.partition("/")[0],
        "standing": "extrapolation",
        "form": "contrast",
        "phase": "pilot" if measured else "",
        "verdict": verdict,
        "estimate": 0.3 if measured else math.nan,
        "ci_low": 0.2 if measured else math.nan,
        "ci_high": 0.4 if measured else math.nan,
        "margin": 0.1 if measured else math.nan,
        "coverage": 1.0 if measured else 0.0,
    } | changed


@pytest.fixture
def table() -> pd.DataFrame:
    verdicts = [claim(f"one/A{k}", verdict) for k, verdict in enumerate(COLOURS)]
    return pd.DataFrame([*verdicts, claim("two/B1", "supported", standing="theorem")])


def boxes(figure: Figure) -> list[Rectangle]:
    return [p for p in figure.axes[0].patches if isinstance(p, Rectangle)]


def test_every_claim_has_a_tile_of_its_verdicts_colour_and_its_number(
    table: pd.DataFrame,
) -> None:
    figure = tiles(table)
    assert [to_hex(b.get_facecolor()) for b in boxes(figure)] == [
        *COLOURS.values(),
        COLOURS["supported"],
    ]
    said = {text.get_text() for text in figure.axes[0].texts}
    numbers = {f"A{k}" for k in range(len(COLOURS))}
    assert {*numbers, "B1", "one", "two"} == said


def test_what_new_seeds_have_judged_has_a_dot(table: pd.DataFrame) -> None:
    table.loc[table["prediction"] == "two/B1", "phase"] = NEW
    figure = tiles(table)
    said = {text.get_text() for text in figure.axes[0].texts}
    assert {"B1 \N{BULLET}", "A0"} < said
    judged = len(COLOURS)  # one is not measured, and there is one more
    assert figure.axes[0].get_title() == (
        f"1 judged by new seeds \N{BULLET}, {judged - 1} by seeds that margins had seen"
    )
    dots = [
        line.get_markerfacecolor()
        for line in effects(table).axes[0].lines
        if line.get_marker() == "o"
    ]
    assert dots == ["white"] * (judged - 1) + [COLOURS["supported"]]


def test_planted_nulls_come_last_and_are_not_counted(table: pd.DataFrame) -> None:
    nulls = [claim(f"a_null/N{k}", "refuted", standing="planted") for k in range(30)]
    figure = tiles(pd.concat([table, pd.DataFrame(nulls)]))
    said = [t.get_text() for t in figure.axes[0].texts]
    assert said.index("a null") > said.index("two") > said.index("one")
    assert figure.axes[0].get_title() == tiles(table).axes[0].get_title()


def test_a_theorem_is_framed(table: pd.DataFrame) -> None:
    framed = [b.get_edgecolor()[3] > 0 for b in boxes(tiles(table))]
    assert framed == [False] * len(COLOURS) + [True]


def test_tiles_do_not_lie_on_each_other() -> None:
    many = [claim(f"{t}/A{k}", "refuted") for t in ("x", "y") for k in range(19)]
    corners = [b.get_xy() for b in boxes(tiles(pd.DataFrame(many)))]
    assert len(set(corners)) == 38


def test_effects_are_in_units_of_their_margin_and_leave_out_what_is_not_measured(
    table: pd.DataFrame,
) -> None:
    ax = effects(table).axes[0]
    assert [label.get_text() for label in ax.get_yticklabels()] == [
        *(f"one/A{k}" for k in range(len(COLOURS) - 1)),
        "two/B1",
    ]
    spans = [line.get_xdata() for line in ax.lines if len(line.get_xdata()) == 2]
    assert any(list(span) == pytest.approx([2.0, 4.0]) for span in spans)


def test_an_equality_has_its_band_on_both_sides() -> None:
    equal = pd.DataFrame([claim("one/E", "supported", form="equality")])
    ax = effects(equal).axes[0]
    assert any(list(line.get_xdata()) == [-1, 1] for line in ax.lines)


def test_planted_nulls_have_tiles_and_no_interval(table: pd.DataFrame) -> None:
    null = claim("nulls/n", "refuted", standing="planted")
    both = pd.concat([table, pd.DataFrame([null])], ignore_index=True)
    assert len(boxes(tiles(both))) == len(boxes(tiles(table))) + 1
    lines = [len(effects(each).axes[0].get_yticks()) for each in (both, table)]
    assert lines[0] == lines[1]
