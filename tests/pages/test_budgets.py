import math
from collections.abc import Iterator

import matplotlib as mpl

mpl.use("agg")

import matplotlib.pyplot as plt
import pandas as pd
import pytest

from mae_bench.pages.budgets import cost, curves, draw, learning_curves
from mae_bench.records.rows import COLUMNS
from mae_bench.records.store import Record


@pytest.fixture(autouse=True)
def closed() -> Iterator[None]:
    yield
    plt.close("all")


def probe(method: str, seed: int, value: float, token: str = "mean") -> Record:  # noqa: S107
    blank = dict.fromkeys(COLUMNS, "") | {"status": "ok", "rounding": 0}
    about = {"dataset": "w", "method": method, "seed": seed, "view": "unmasked"}
    about |= {"metric": "linear_probe", "token": token, "value": value}
    return blank | about | {"cell": f"{method}{seed}", "train_seconds": 2.0 + seed}


def both(method: str, seed: int, value: float) -> list[Record]:
    """A probe on test images, and on those that choose the read-out."""
    return [probe(method, seed, value), probe(method, seed, value, "mean/val")]


BOARD = pd.DataFrame(
    [
        r
        for seed in range(3)
        for m, v in (("mae", 0.9), ("random_init", 0.5))
        for r in both(m, seed, v)
    ]
)
WAY = pd.DataFrame(
    [
        r | {"stop": s}
        for seed in range(3)
        for s in (0.125, 0.5)
        for r in both("mae", seed, s)
    ]
)


def test_a_curve_goes_from_its_stops_to_its_end() -> None:
    points = curves(BOARD, WAY)
    mine = points[points["method"] == "mae"].groupby("stop")["value"].mean()
    assert mine.to_dict() == {0.125: 0.125, 0.5: 0.5, 1.0: 0.9}
    assert {*points.loc[points["method"] == "random_init", "stop"]} == {1.0}


def test_the_end_of_a_way_is_the_leaderboards_cell_and_counts_once() -> None:
    more = pd.DataFrame([r for seed in (3, 4) for r in both("mae", seed, 0.8)])
    ended = pd.concat([WAY, BOARD.assign(stop=1.0)])
    points = curves(pd.concat([BOARD, more]), ended)
    ends = points[(points["method"] == "mae") & (points["stop"] == 1)]
    assert ends["value"].tolist() == [0.9, 0.9, 0.9, 0.8, 0.8]


def test_a_panel_a_method_with_the_untrained_below() -> None:
    figure = learning_curves(curves(BOARD, WAY))
    ax = figure.axes[0]
    assert ax.get_title() == "mae"
    (container,) = ax.containers
    assert list(container.lines[0].get_xdata()) == [0.125, 0.5, 1.0]
    dashed = [line for line in ax.lines if line.get_linestyle() == "--"]
    assert [line.get_ydata()[0] for line in dashed] == [0.5]


def test_the_dearest_is_on_top_and_seconds_have_their_interval() -> None:
    cells = BOARD.drop_duplicates("cell")
    cells.loc[cells["method"] == "mae", "train_seconds"] = 9.0
    (ax,) = cost(cells).axes
    names = [label.get_text() for label in ax.get_yticklabels()]
    assert names == ["random_init", "mae"]
    dots = [line.get_xdata()[0] for line in ax.lines]
    assert dots == [3.0, 9.0]
    assert ax.get_xlim()[0] == 0


def test_what_has_no_rows_has_no_figure() -> None:
    assert list(draw({})) == []
    free = BOARD.assign(train_seconds=math.nan)
    assert [name for name, _ in draw({"leaderboard": free})] == []
    made = draw({"leaderboard": BOARD, "learning_curves": WAY})
    assert [name for name, _ in made] == ["cost", "learning_curves"]
