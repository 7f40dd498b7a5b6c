import math
from collections.abc import Iterator
from typing import Any

import matplotlib as mpl

mpl.use("agg")

import matplotlib.pyplot as plt
import pandas as pd
import pytest
from matplotlib.figure import Figure

from mae_bench.pages.effects import LONGEST, draw, pages
from mae_bench.pages.scorecard import COLOURS, NEW, SIGNS


@pytest.fixture(autouse=True)
def closed() -> Iterator[None]:
    yield
    plt.close("all")


def claim(number: str, verdict: str = "supported", **changed: Any) -> dict[str, Any]:
    return {
        "prediction": number,
        "theory": number.partition("/")[0],
        "standing": "extrapolation",
        "form": "contrast",
        "phase": "pilot",
        "verdict": verdict,
        "estimate": 0.3,
        "ci_low": 0.2,
        "ci_high": 0.4,
        "margin": 0.1,
        "experiment": "e",
        "metric": number,
    } | changed


def table(*claims: dict[str, Any]) -> pd.DataFrame:
    return pd.DataFrame(list(claims))


def spans(figure: Figure) -> list[list[float]]:
    lines = figure.axes[0].lines
    return [[*map(float, line.get_xdata())] for line in lines]


def test_effects_are_in_units_of_their_margin_and_named_with_a_sign() -> None:
    figure = draw(table(claim("t/A"), claim("t/B", "refuted", margin=0.0)))
    assert any(span == pytest.approx([2.0, 4.0]) for span in spans(figure))
    assert any(span == pytest.approx([0.2, 0.4]) for span in spans(figure))
    names = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert names == [f"t/A {SIGNS['supported']}", f"t/B {SIGNS['refuted']}"]
    (legend,) = figure.legends
    said = [text.get_text() for text in legend.get_texts()]
    assert [words[2:] for words in said[:2]] == ["supported", "refuted"]


def test_a_dot_is_filled_if_new_seeds_ruled() -> None:
    figure = draw(table(claim("t/A"), claim("t/B", phase=NEW)))
    lines = [line for line in figure.axes[0].lines if line.get_marker() == "o"]
    fills = [line.get_markerfacecolor() for line in lines]
    assert fills == ["white"] * 2 + [COLOURS["supported"]] * 2


@pytest.mark.parametrize(("form", "end"), [("equality", 1.0), ("bound", 1e5)])
def test_what_is_claimed_inside_has_its_band(form: str, end: float) -> None:
    figure = draw(table(claim("t/A", form=form, estimate=500.0, ci_high=1e4)))
    (band,) = figure.axes[0].collections
    (path,) = band.get_paths()
    assert (path.vertices[:, 0].min(), path.vertices[:, 0].max()) == (-1, end)
    assert figure.axes[0].get_xlim()[1] <= 1e5


def test_pages_can_be_read_and_a_theory_is_not_torn() -> None:
    sizes = {"a": LONGEST - 5, "b": 10, "c": 3}
    claims = [claim(f"{t}/{k:02d}") for t, n in sizes.items() for k in range(n)]
    claims += [claim("d/0", estimate=math.nan), claim("n/0", standing="planted")]
    found = dict(pages(table(*claims)))
    heights = {name: len(f.axes[0].get_yticks()) for name, f in found.items()}
    assert heights == {"effects": LONGEST - 5, "effects_2": 13}
