"""Peak on synthetic rows."""

from itertools import permutations

import numpy as np
import pandas as pd
import pytest

from mae_bench.predictions.peak import Peak, best_levels
from mae_bench.records.strength import ANYTIME, detectable

LEVELS = (0.1, 0.25, 0.5, 0.75, 0.9)


def rows_of(table, levels=LEVELS):
    frame = pd.DataFrame(table, columns=list(levels)).rename_axis("seed").reset_index()
    return frame.melt("seed", var_name="x", value_name="value")


def supported(tables, margin):
    """Share of the tables that are called a peak."""
    form, columns = Peak(margin, "x"), tables.shape[2]
    inside = [(j, end) for j in range(1, columns - 1) for end in (0, columns - 1)]
    at, ends = np.array(inside).T
    heights = tables[..., at] - tables[..., ends]
    found = [form.decide(pd.DataFrame(table)) for table in heights]
    return np.mean([word == "supported" for word in found])


def test_the_effects_are_heights_above_both_ends():
    table = np.random.default_rng(0).normal(size=(4, 5))
    effects = Peak(0.1, "x").effects(rows_of(table))
    assert effects.columns[0] == "0.25 above 0.1"
    slow = [table[:, j] - table[:, end] for j in (1, 2, 3) for end in (0, 4)]
    assert effects.to_numpy() == pytest.approx(np.array(slow).T)


def test_no_order_of_the_seeds_changes_it():
    table = np.array([0.0, 0.9, 1.0, 0.8, 0.1]) + 0.2 * np.random.default_rng(0).normal(
        size=(5, 5)
    )
    form = Peak(0.3, "x")
    effects = form.effects(rows_of(table))
    found = {
        tuple(np.round([form.support(mine, 0.3), *form.interval(mine)], 9))
        for order in permutations(range(5))
        for mine in [effects.iloc[list(order)]]
    }
    assert len(found) == 1


def test_it_is_as_strong_as_the_best_level_and_its_harder_end():
    table = np.tile([0.0, 1.0, 3.0, 1.0, 2.0], (5, 1))
    form = Peak(0.5, "x")
    effects = form.effects(rows_of(table))
    assert form.interval(effects) == (1.0, 1.0, 1.0)
    assert form.support(effects, 0.5) == pytest.approx(21.0**2 / 3)
    assert form.as_claimed(effects).all()
    assert form.refute(effects, 1.5) == pytest.approx(21.0**2 / 2)
    assert Peak(1.5, "x").kind(effects) == "smaller than claimed"


def test_a_valley_is_a_peak_upside_down():
    table = np.random.default_rng(1).normal(size=(5, 5))
    up = Peak(0.1, "x").effects(rows_of(table))
    down = Peak(0.1, "x", minimum=True).effects(rows_of(-table))
    pd.testing.assert_frame_equal(down, up)


def test_location_is_the_level_with_the_best_mean_and_the_range_of_the_possible():
    table = np.array([[0.0, 1, 2, 5, 0], [0, 3, 4, 2, 0], [9, 9, 9, np.nan, 9]])
    assert Peak(0.1, "x").location(rows_of(table)) == "0.75 (0.1-0.9)"
    assert Peak(0.1, "x", minimum=True).location(rows_of(-table)) == "0.75 (0.1-0.9)"
    assert Peak(0.1, "x").location(rows_of(table[1:])) == ""
    sure = np.array([0.0, 1.0, 2.0, 1.99, 0.0]) + np.arange(5)[:, None]
    assert Peak(0.1, "x").location(rows_of(sure)) == "0.5 (0.5-0.5)"
    sure[:, 3] += [0.0, 0.05, -0.05, 0.02, 0.0]
    assert Peak(0.1, "x").location(rows_of(sure)) == "0.5 (0.5-0.75)"


def test_location_names_levels_that_are_words():
    rows = rows_of(np.tile([0.0, 1.0, 0.0], (3, 1)), ("block", "grid", "random"))
    assert Peak(0.1, "x").location(rows) == "grid (grid-grid)"


@pytest.mark.parametrize("n", [3, 5, 8])
def test_the_best_level_is_among_the_possible_in_95_of_100(n):
    rng = np.random.default_rng(n)
    common = rng.normal(size=(300, n, 1))
    tables = common + rng.normal(size=(300, n, 5)) + [0.0, 1.0, 1.0, 0.9, 0.0]
    kept = np.array([best_levels(table) for table in tables])
    assert kept[:, 1].mean() > 0.95


def test_more_seeds_leave_fewer_possible_levels():
    noise = np.random.default_rng(0).normal(size=(60, 40, 5))
    tables = np.add(noise, [0.0, 0.7, 1.0, 0.7, 0.0])
    few, many = (np.mean([best_levels(t[:n]).sum() for t in tables]) for n in (5, 40))
    assert many < few - 1


def test_two_levels_or_no_complete_seed_have_no_peak():
    assert Peak(0.1, "x").effects(rows_of(np.ones((3, 2)), (1, 2))).empty
    holed = np.ones((3, 5))
    holed[:, 2] = np.nan
    assert Peak(0.1, "x").effects(rows_of(holed)).empty


def test_noise_alone_is_rarely_a_peak():
    tables = np.random.default_rng(5).normal(size=(300, 6, 5))
    assert supported(tables, 0.0) < 0.02


def test_a_peak_at_the_margin_is_supported_in_at_most_5_of_100():
    tables = np.random.default_rng(5).normal(size=(400, 8, 5))
    tables += [0.0, 0.0, 0.6, 0.0, 0.0]
    assert supported(tables, 0.6) < 0.05


@pytest.mark.parametrize("quiet", [1.0, 0.05])
def test_nor_where_every_interior_level_ties_and_one_end_decides(quiet):
    # The first end is far below; the last, and only it, is at the margin.
    noise = np.random.default_rng(5).normal(size=(400, 8, 5))
    tables = noise * [1.0, 1.0, 1.0, 1.0, quiet] + [-9.0, 0.6, 0.6, 0.6, 0.0]
    assert supported(tables, 0.6) < 0.05


def test_an_uncertain_end_at_the_margin_is_not_hidden_by_a_sure_one_beyond_it():
    noise = np.random.default_rng(0).normal(size=(400, 6, 3))
    tables = noise * [1.0, 0.1, 0.1] + [0.0, 0.0, -0.6]
    assert supported(tables, 0.0) < 0.05


def test_a_clear_peak_is_seen():
    tables = np.random.default_rng(3).normal(0, 0.1, (100, 6, 5))
    tables += [0.0, 0.5, 1.0, 0.5, 0.0]
    assert supported(tables, 0.1) > 0.95


def test_a_monotone_curve_refutes_it():
    form = Peak(0.1, "x")
    tables = np.random.default_rng(3).normal(0, 0.1, (6, 5)) + np.arange(5.0)
    effects = form.effects(rows_of(tables))
    assert form.decide(effects) == "refuted"
    assert form.kind(effects) == "reversed"


def test_its_words_say_whether_it_is_a_hill_or_a_valley():
    assert Peak(0.1, "x").words == (
        "how far some x inside the range lies above both of its ends is above 0.1"
    )
    assert "below both" in Peak(0.1, "x", minimum=True).words


def test_of_three_levels_one_lies_between_two_ends():
    effects = Peak(0.1, "x").effects(rows_of([[1.0, 4.0, 2.0]], (1, 2, 3)))
    assert effects.to_dict("list") == {"2 above 1": [3.0], "2 above 3": [2.0]}
    assert Peak(0.1, "x").effects(rows_of([[1.0], [2.0]], (1,))).empty


def test_without_an_interior_level_nothing_is_said():
    form = Peak(0.1, "x")
    none = form.effects(rows_of(np.ones((5, 2)), (1, 2)))
    assert form.support(none, 0.1) == form.refute(none, 0.1) == 1.0
    assert np.isnan(form.interval(none)).all()
    assert np.isnan(form.minimum_detectable_effect(none))


def test_a_height_of_just_the_margin_is_not_above_it():
    effects = Peak(1.0, "x").effects(rows_of([[0.0, 1.0, 0.0], [0.0, 2.0, 0.0]], "abc"))
    assert Peak(1.0, "x").as_claimed(effects).tolist() == [False, True]


def test_it_stands_out_from_a_control_by_the_seeds_that_both_have():
    form = Peak(0.1, "x")
    hill = form.effects(rows_of([[0.0, 3.0, 2.0, 0.0]] * 5, range(4)))
    low = form.effects(rows_of([[0.0, 2.0, 2.0, 0.0]] * 5, range(4)))
    # Without spread five seeds have strength 21², four have 17^1.5; of two levels.
    assert form.beyond(hill, low) == pytest.approx(21.0**2 / 2)
    assert form.beyond(hill, low[1:]) == pytest.approx(17.0**1.5 / 2)
    assert form.beyond(hill, hill) == pytest.approx(21.0**-0.5 / 2)


@pytest.fixture
def uneven():
    """Two levels, of which the second is the better one, and more than a seed apart."""
    noise = np.random.default_rng(2).normal(0, 0.3, (8, 4))
    return Peak(0.1, "x").effects(
        rows_of(np.add(noise, [0.0, 0.8, 1.2, 0.3]), range(4))
    )


def test_its_interval_ends_where_either_side_is_just_decided(uneven):
    form = Peak(0.1, "x")
    estimate, low, high = form.interval(uneven)
    heights = uneven.mean().to_numpy().reshape(2, 2)
    assert estimate == pytest.approx(heights.min(axis=1).max())
    assert low < estimate < high
    assert form.support(uneven, low) == pytest.approx(20.0)
    assert form.refute(uneven, high) == pytest.approx(20.0)


def test_what_it_could_detect_is_of_the_level_that_is_seen_best(uneven):
    # Both heights of a level are seen in 8 of 10 if each is in 9; of two levels each
    # has to be twice as strong.
    errors = uneven.std(ddof=1).to_numpy().reshape(2, 2).max(axis=1) / 8**0.5
    critical = ANYTIME.critical(8, 40.0)
    expected = errors.min() * detectable(8, critical, 0.9, two_sided=False)
    assert Peak(0.1, "x").minimum_detectable_effect(uneven) == pytest.approx(expected)


def test_a_level_goes_at_5_in_100_over_the_number_of_the_others():
    behind = np.array([[0.0, 1.0], [0.0, 2.0], [0.0, 3.0]])  # t = 2 sqrt 3, p = .037
    assert best_levels(behind).tolist() == [False, True]
    assert best_levels(np.hstack([behind, behind[:, :1]])).tolist() == [True] * 3
    assert best_levels(behind[:, :1]).tolist() == [True]
