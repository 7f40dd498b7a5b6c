"""The figure has each family with its slope, and networks where there are rows."""

import math

import matplotlib.pyplot as plt
import pandas as pd
import pytest

from mae_bench.experiments.sample_complexity import rules_of
from mae_bench.pages.sample_complexity import FAMILIES, draw, slopes, whole

COLUMNS = ["seed", "rules", "target", "value", "status"]


def rows_of(sizes=(4, 8, 12)):
    """Seeds whose exponents are those of the distance, a tenth apart."""
    lines = [
        (seed, rules_of(m, 3), target, 2 + (d + seed / 10) * math.log2(m), "ok")
        for seed in range(3)
        for m in sizes
        for target, (_, d) in FAMILIES.items()
    ]
    return pd.DataFrame(lines, columns=COLUMNS)


def trained():
    lines = [
        ("mae", rules_of(m, 3), n, 0.5, "ok") for m in (12, 4) for n in (256, 1024)
    ]
    found = pd.DataFrame(
        lines, columns=["method", "rules", "train_images", "value", "status"]
    )
    at = {"metric": "level_accuracy", "token": "mean", "target": "level_1"}
    return found.assign(**at)


def words(figure):
    found = " ".join(t.get_text() for t in figure.findobj(plt.Text))
    plt.close(figure)
    return found


def test_slopes_are_those_of_each_seed():
    rows = rows_of()
    assert slopes(whole(rows, "tokens/level_1")) == pytest.approx([4.0, 4.1, 4.2])
    # A size that a seed lacks is left out of all.
    found = whole(
        rows[(rows.seed != 1) | (rows.rules != rules_of(12, 3))], "tokens/level_1"
    )
    assert [*found.columns] == [2.0, 3.0]
    assert slopes(found) == pytest.approx([4.0, 4.1, 4.2])
    assert slopes(whole(rows_of(sizes=(4,)), "tokens/level_1")) == []


def test_each_family_is_named_with_its_slope():
    text = words(draw({"sample_complexity": rows_of()}))
    for name, distance in FAMILIES.values():
        assert f"{name}: {distance + 0.1:.2f} [" in text
        assert f"derived {distance}" in text


def test_networks_are_drawn_where_they_were_trained():
    both = {"sample_complexity": rows_of(), "sample_complexity_trained": trained()}
    figure = draw(both)
    assert len(figure.axes) == 4
    titles = [ax.get_title() for ax in figure.axes[2:]]
    assert titles == ["Networks, m = 4", "Networks, m = 12"]
    (line,) = figure.axes[3].containers
    assert line.get_label() == "mae"
    assert line.lines[0].get_ydata().tolist() == [0.5, 0.5]
    plt.close(figure)
    figure = draw({"sample_complexity": rows_of()})
    assert len(figure.axes) == 2
    plt.close(figure)


def test_without_numbers_there_is_no_figure():
    assert draw({}) is None
    assert draw({"sample_complexity": rows_of().assign(status="error")}) is None
    assert draw({"sample_complexity": rows_of().assign(target="own/x")}) is None
