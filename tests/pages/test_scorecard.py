import math
from itertools import combinations
from typing import Any

import matplotlib as mpl

mpl.use("agg")

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex, to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from mae_bench.pages.scorecard import COLOURS, DARK, NEW, SIGNS, tiles


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
    numbers = {f"{sign} A{k}" for k, sign in enumerate(SIGNS.values())}
    assert {*numbers, f"{SIGNS['supported']} B1", "one", "two"} == said


def test_what_new_seeds_have_judged_has_a_dot(table: pd.DataFrame) -> None:
    table.loc[table["prediction"] == "two/B1", "phase"] = NEW
    figure = tiles(table)
    said = {text.get_text() for text in figure.axes[0].texts}
    sign = SIGNS["supported"]
    assert {f"{sign} B1 \N{BULLET}", f"{sign} A0"} < said
    judged = len(COLOURS)  # one is not measured, and there is one more
    assert figure.axes[0].get_title() == (
        f"1 judged by new seeds \N{BULLET}, {judged - 1} by seeds that margins had seen"
    )


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


@pytest.mark.parametrize("number", ["K5", "MB-network-uniform", "MM2-digits-mean"])
def test_a_number_is_no_wider_than_its_tile(number: str) -> None:
    figure = tiles(pd.DataFrame([claim(f"one/{number}", "supported", phase=NEW)]))
    figure.draw_without_rendering()
    (tile,) = boxes(figure)
    text = next(t for t in figure.axes[0].texts if number in t.get_text())
    assert text.get_window_extent().width < tile.get_window_extent().width


def linear(colour: str) -> np.ndarray:
    """Linear RGB of a colour, 0 to 1."""
    rgb = np.array(to_rgb(colour))
    return np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)


def luminance(colour: str) -> float:
    return float(linear(colour) @ [0.2126, 0.7152, 0.0722])


@pytest.mark.parametrize("verdict", COLOURS)
def test_a_word_on_its_colour_can_be_read(verdict: str) -> None:
    ink = luminance("#ffffff" if verdict in DARK else "#1c2127")
    low, high = sorted([ink, luminance(COLOURS[verdict])])
    assert (high + 0.05) / (low + 0.05) >= 4.5


# Machado, Oliveira & Fernandes 2009, severity 1, on linear RGB.
SEEN = {
    "normal": np.eye(3),
    "protanopia": np.array(
        [
            [0.152286, 1.052583, -0.204868],
            [0.114503, 0.786281, 0.099216],
            [-0.003882, -0.048116, 1.051998],
        ]
    ),
    "deuteranopia": np.array(
        [
            [0.367322, 0.860646, -0.227968],
            [0.280085, 0.672501, 0.047413],
            [-0.011820, 0.042940, 0.968881],
        ]
    ),
}


def lab(colour: str, seen: np.ndarray) -> np.ndarray:
    """CIELAB of a colour as it is seen."""
    to_xyz = [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722]]
    to_xyz.append([0.0193, 0.1192, 0.9505])
    rgb = (seen @ linear(colour)).clip(0, 1)
    x, y, z = np.cbrt(np.array(to_xyz) @ rgb / [0.9505, 1.0, 1.089] + 1e-9)
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


@pytest.mark.parametrize("eye", SEEN)
def test_no_two_verdicts_look_alike_to_any_eye(eye: str) -> None:
    for a, b in combinations(COLOURS, 2):
        apart = lab(COLOURS[a], SEEN[eye]) - lab(COLOURS[b], SEEN[eye])
        # Signs tell them apart as well; the two that matter most are far apart.
        least = 40 if {a, b} == {"supported", "refuted"} else 14
        assert np.linalg.norm(apart) > least, (a, b)


def test_every_verdict_has_a_sign_of_its_own() -> None:
    assert list(SIGNS) == list(COLOURS)
    assert len({*SIGNS.values()}) == len(SIGNS)
    assert {*DARK} < {*COLOURS}
