import math
from collections.abc import Iterator
from dataclasses import replace

import matplotlib as mpl

mpl.use("agg")

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from mae_bench.experiments.uniformity import UNIFORMITY
from mae_bench.pages.sweeps import LEAST_SPAN, Scale, sweep, widen, with_bars
from mae_bench.records.rows import COLUMNS

LEVELS = [0.0, 0.001, 0.01, 0.1, 1.0]


@pytest.fixture(autouse=True)
def closed() -> Iterator[None]:
    yield
    plt.close("all")


def made_up(seeds: int = 3) -> pd.DataFrame:
    """Measurements of one world and method, drawn by lot."""
    draw = np.random.default_rng(0)
    blank: dict[str, object] = dict.fromkeys(COLUMNS, "") | {"status": "ok"}
    blank |= {"dataset": "gaussian_tree", "method": "u_mae"}
    blank |= {"view": "unmasked", "token": "mean"}
    rows = [
        blank
        | {"metric": metric.id, "target": target, "seed": seed, "lamb": lamb}
        | {"value": draw.random()}
        for metric, target in UNIFORMITY.drawn
        for seed in range(seeds)
        for lamb in LEVELS
    ]
    return pd.DataFrame(rows)


def words(figure: plt.Figure) -> str:
    return " ".join(t.get_text() for t in figure.findobj(plt.Text))


def test_a_sweep_shows_the_question_the_levels_and_every_method() -> None:
    experiment = UNIFORMITY
    text = words(sweep(made_up(), experiment, "lamb"))
    assert experiment.question in text
    for word in ("u_mae", "0.001", "gaussian_tree", "effective rank", "lamb"):
        assert word in text


def test_a_metric_without_a_number_is_a_panel_that_says_so() -> None:
    rows = made_up()
    lost = rows["metric"] == "linear_r2"
    rows.loc[lost, ["status", "value"]] = ["skipped", math.nan]
    text = words(sweep(rows, UNIFORMITY, "lamb"))
    assert text.count("does not apply") == 1


def test_levels_that_are_words_are_drawn_as_well() -> None:
    rows = made_up()
    names = {0.0: "none", 0.001: "a", 0.01: "b", 0.1: "c", 1.0: "d"}
    rows["lamb"] = rows["lamb"].map(names)
    assert "none" in words(sweep(rows, UNIFORMITY, "lamb"))


def test_points_are_means_with_students_intervals() -> None:
    experiment = replace(UNIFORMITY, drawn=UNIFORMITY.drawn[:1])
    rows = made_up()
    rows = rows[rows["dataset"] == "gaussian_tree"]
    rows["value"] = rows["seed"].map({0: 0.4, 1: 0.5, 2: 0.6})
    figure = sweep(rows, experiment, "lamb")
    (container,) = figure.axes[0].containers
    points, _, (bars,) = container.lines
    assert list(points.get_ydata()) == pytest.approx([0.5] * 5)
    # t(0.975, 2) = 4.3027, a standard deviation of 0.1 and three seeds.
    half = 0.43027 / math.sqrt(3)
    for segment in bars.get_segments():
        assert segment[:, 1] == pytest.approx([0.5 - half, 0.5 + half], abs=1e-4)
    plt.close(figure)


def test_a_sweep_is_of_whole_images_where_masked_ones_were_shown_as_well() -> None:
    experiment, rows = UNIFORMITY, made_up()
    masked = rows.assign(view="masked", value=100.0)

    def heights(rows: pd.DataFrame) -> list[float]:
        figure = sweep(rows, experiment, "lamb")
        plt.close(figure)
        return [y for ax in figure.axes for line in ax.lines for y in line.get_ydata()]

    assert heights(pd.concat([rows, masked])) == heights(rows)


def test_bars_end_where_the_metric_does_and_a_single_seed_has_none() -> None:
    mean, bars = with_bars([[0.9, 1.0], [0.5]], 0.0, 1.0)
    assert mean.tolist() == pytest.approx([0.95, 0.5])
    assert bars[:, 0] == pytest.approx([0.635, 0.05], abs=1e-3)
    assert np.isnan(bars[:, 1]).all()


def test_a_single_seed_is_hollow_and_the_title_says_so() -> None:
    one, several = (sweep(made_up(n), UNIFORMITY, "lamb") for n in (1, 3))
    assert "hollow: a single seed" in words(one)
    assert "hollow" not in words(several)
    fills = {line.get_markerfacecolor() for line in one.axes[0].lines}
    assert "white" in fills


def test_shares_of_what_is_possible_stop_there() -> None:
    rows = made_up().assign(value=0.999)
    figure = sweep(rows, UNIFORMITY, "lamb")
    tops = [ax.get_ylim()[1] for ax in figure.axes]
    assert all(top < 1.01 for top in tops[:2])  # R2 and an accuracy


def test_numbers_are_to_scale_and_near_ones_are_not_named_twice() -> None:
    scale = Scale([0.0, 0.05, 0.1, 0.5, 1.0])
    assert [scale.spot(x, 0) for x in scale.levels] == scale.levels
    _, ax = plt.subplots()
    ax.plot([0, 1], [0, 1])
    scale.ticks(ax)
    assert [label.get_text() for label in ax.get_xticklabels()] == [
        "0",
        "0.1",
        "0.5",
        "1",
    ]
    assert ax.get_xscale() == "linear"
    Scale(LEVELS).ticks(ax)
    assert ax.get_xscale() == "symlog"
    assert len(ax.get_xticklabels()) == len(LEVELS)


@pytest.mark.parametrize("levels", [["aligned", "block"], [False, True]])
def test_what_has_no_order_is_not_joined(levels: list[str] | list[bool]) -> None:
    rows = made_up()
    rows = rows[rows["lamb"] < 0.01].assign(
        lamb=rows["lamb"].map({0.0: levels[0], 0.001: levels[1]})
    )
    figure = sweep(rows, UNIFORMITY, "lamb")
    assert not Scale(levels).ordered
    assert {line.get_linestyle() for line in figure.axes[0].lines} == {"None"}
    assert "aligned" in words(figure) or "False" in words(figure)


def test_a_title_is_whole() -> None:
    long = replace(UNIFORMITY, question="why " * 40, drawn=UNIFORMITY.drawn[:1])
    figure = sweep(made_up(), long, "lamb")
    figure.canvas.draw()
    box = figure.findobj(lambda t: "why" in getattr(t, "get_text", str)())[0]
    ends = box.get_window_extent()
    assert 0 <= ends.x0 < ends.x1 <= figure.bbox.width


@pytest.mark.parametrize(
    ("values", "least"), [((1.0, 1.000001), LEAST_SPAN), ((-3.0, -2.0), 1.0)]
)
def test_what_hardly_differs_does_not_look_as_if_it_did(values, least: float) -> None:
    _, ax = plt.subplots()
    ax.plot(values)
    ax.margins(y=0)
    widen(ax)
    low, high = ax.get_ylim()
    assert high - low == pytest.approx(least, rel=1e-3)
    assert low <= min(values) <= max(values) <= high
