"""Figures of the oracles: what they draw is what the oracle, or loops, say."""

from itertools import product

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from mae_bench.oracles.located_latents import level_table
from mae_bench.pages import exact
from mae_bench.records.rows import COLUMNS


@pytest.fixture(autouse=True)
def no_figure_stays_open():
    plt.close("all")
    yield
    plt.close("all")


@pytest.mark.parametrize(("unit", "ratio"), [(1, 0.25), (2, 0.5), (4, 0.75)])
def test_drawn_masks_share_what_the_table_says(unit, ratio):
    (row,) = level_table(exact.GRID, (unit,), (ratio,))
    size, level = exact.drawn_c(unit, ratio).T
    assert size.mean() == pytest.approx(row.expected_size, rel=0.03)
    assert level.mean() == pytest.approx(row.mean_level, abs=0.02)


def test_points_of_located_latents_lie_on_their_curves():
    sizes, levels = exact.located_latents().axes
    for ax in (sizes, levels):
        curves = [line for line in ax.lines if line.get_linestyle() == "--"]
        assert len(curves) == len(ax.containers) == 3
        for curve, points in zip(curves, ax.containers, strict=True):
            x, y = np.array(points.lines[0].get_data(), float)
            expected = np.interp(x, *np.array(curve.get_data(), float))
            np.testing.assert_allclose(y, expected, rtol=0.06)
    assert sizes.get_xlabel() == "mask_ratio"


def test_the_two_part_world_is_counted_by_hand():
    tokens, probability, labels = exact.two_part_world(0.2, 0.1)
    assert probability.sum().item() == pytest.approx(1)
    expected = np.zeros(len(tokens))
    for i, (x, y) in enumerate(zip(tokens.tolist(), labels.tolist(), strict=True)):
        for parts in product((0, 1), repeat=2):
            odds = 0.5
            for k, part in enumerate(parts):
                odds *= 0.8 if part == y else 0.2
                for token in x[3 * k : 3 * k + 3]:
                    odds *= 0.9 if token == part else 0.1
            expected[i] += odds
    np.testing.assert_allclose(probability, expected)


def test_wider_features_leave_out_less_and_more_masking_errs_more():
    left, right = exact.mask_graph_figure().axes
    tails = np.array([line.get_ydata() for line in left.lines])
    assert len(tails) == len(exact.WIDTHS)
    assert (np.diff(tails, axis=0) < 0).all()
    errors = np.asarray(right.lines[0].get_ydata())
    assert (np.diff(errors) > -1e-12).all()
    assert 0 < errors[0] < errors[-1] < 0.5


def trained(values, **changed) -> pd.DataFrame:
    """A row for each target, seed and mask_ratio."""
    rows = []
    for seed, (ratio, found) in product((0, 1, 2), values.items()):
        for target, value in zip(("masked", "floor"), found, strict=True):
            row = (
                dict.fromkeys(COLUMNS, "")
                | {"rounding": 0}
                | {"status": "ok", "seed": seed}
            )
            row |= {"dataset": "invertible_tree", "metric": "reconstruction_error"}
            row |= {"target": target, "value": value + 0.01 * seed, "method": "mae"}
            rows.append(row | {"mask_ratio": ratio, "bottleneck": None} | changed)
    return pd.DataFrame(rows)


def test_a_trained_error_stands_over_its_exact_floor():
    figure = exact.two_sample_floor({"a": trained({0.5: (0.4, 0.3), 0.75: (0.7, 0.6)})})
    (ax,) = figure.axes
    (points,) = ax.containers
    found = points.lines[0].get_xydata()
    np.testing.assert_allclose(found, [[0.31, 0.41], [0.61, 0.71]])
    (diagonal,) = [line for line in ax.lines if line.get_linestyle() == "--"]
    x, y = diagonal.get_data()
    assert list(x) == list(y)


@pytest.mark.parametrize(
    "changed",
    [{"dataset": "gaussian_tree"}, {"status": "error"}, {"target": "masked"}],
)
def test_nothing_is_drawn_where_no_floor_is_known(changed):
    rows = trained({0.5: (0.4, 0.3)}, **changed)
    assert exact.two_sample_floor({"a": rows}) is None
    assert exact.two_sample_floor({}) is None
