"""Trend on synthetic rows."""

import math

import numpy as np
import pandas as pd
import pytest

from mae_bench.predictions.trend import Trend

LEVELS = (0.1, 0.25, 0.5, 0.75, 0.9)


def rows_of(table, levels=LEVELS):
    frame = pd.DataFrame(table, columns=list(levels)).rename_axis("seed").reset_index()
    return frame.melt("seed", var_name="x", value_name="value")


def test_the_effect_is_the_lines_change_from_the_first_level_to_the_last():
    values = np.random.default_rng(0).normal(size=(4, 5))
    expected = [np.polyfit(range(5), row, 1)[0] * 4 for row in values]
    rising = Trend(margin=0.1, factor="x").effects(rows_of(values))
    assert rising.iloc[:, 0].tolist() == pytest.approx(expected)
    assert rising.index.tolist() == [0, 1, 2, 3]
    falling = Trend(0.1, "x", "decreasing").effects(rows_of(values))
    assert falling.iloc[:, 0].tolist() == pytest.approx([-e for e in expected])


def test_an_exact_line_gives_its_own_change():
    values = np.linspace(2.0, 5.0, 5)[None]
    assert Trend(0.0, "x").effects(rows_of(values)).iloc[:, 0].item() == pytest.approx(
        3.0
    )
    assert Trend(0.0, "x").effects(rows_of(values + 7)).iloc[
        :, 0
    ].item() == pytest.approx(3.0)


@pytest.mark.parametrize("levels", [2, 3, 4, 5])
def test_where_nothing_changes_the_line_is_flat_to_the_last_bit(levels):
    flat = np.random.default_rng(levels).normal(size=(4, 1)).repeat(levels, axis=1)
    effects = Trend(0.1, "x").effects(rows_of(flat, LEVELS[:levels]))
    assert (effects.to_numpy() == 0).all()


def test_levels_are_chosen_and_ordered_by_name():
    rows = rows_of([[5.0, 1.0, 3.0]], ("random", "block", "grid"))
    trend = Trend(0.0, "x", levels=("block", "grid", "random"))
    assert trend.effects(rows).iloc[:, 0].item() == pytest.approx(4.0)
    assert (
        Trend(0.0, "x", levels=("grid", "block")).effects(rows).iloc[:, 0].item()
        == -2.0
    )


def test_seeds_without_every_level_are_left_out():
    values = np.arange(15.0).reshape(3, 5)
    values[1, 2] = np.nan
    assert Trend(0.0, "x").effects(rows_of(values)).index.tolist() == [0, 2]
    assert Trend(0.0, "x", levels=(0.1, 0.3)).effects(rows_of(values)).empty


def test_one_level_has_no_trend():
    assert Trend(0.0, "x").effects(rows_of([[1.0], [2.0]], (0.5,))).empty


def test_at_the_margin_a_line_is_decided_in_at_most_5_of_100():
    noise = np.random.default_rng(5).normal(0, 0.5, (2400, 5))
    form = Trend(0.2, "x")
    effects = form.effects(rows_of(np.linspace(0, 0.2, 5) + noise))
    found = [form.decide(effects[k : k + 6]) for k in range(0, 2400, 6)]
    assert np.mean([word == "supported" for word in found]) < 0.05
    assert np.mean([word == "refuted" for word in found]) < 0.05


def bent(picture, n=6):
    return np.array(picture) + np.random.default_rng(0).normal(0, 0.02, (n, 5))


def test_a_monotone_claim_is_refuted_by_a_step_back_and_a_line_is_not():
    table = rows_of(bent([0.0, 1.0, 2.0, 2.5, 1.5]))
    monotone, line = Trend(0.5, "x"), Trend(0.5, "x", monotone=False)
    assert monotone.decide(monotone.effects(table)) == "refuted"
    assert monotone.kind(monotone.effects(table)) == "not monotone"
    assert line.decide(line.effects(table)) == "supported"
    straight = rows_of(bent([0.0, 0.5, 1.0, 1.5, 2.0]))
    assert monotone.decide(monotone.effects(straight)) == "supported"
    falls = rows_of(bent([2.0, 1.5, 1.0, 0.5, 0.0]))
    assert monotone.kind(monotone.effects(falls)) == "reversed"


def test_a_planted_inverted_u_is_never_a_supported_monotone_rise():
    form = Trend(0.02, "x")
    noise = np.random.default_rng(1).normal(0, 0.05, (100, 6, 5))
    tables = np.add(noise, [0.0, 0.3, 0.5, 0.5, 0.1])
    found = [form.decide(form.effects(rows_of(table))) for table in tables]
    assert found.count("supported") == 0
    assert found.count("refuted") > 90


def test_its_steps_back_are_no_effect_of_its_own():
    effects = Trend(0.1, "x").effects(rows_of(bent([0, 1, 2, 3, 4])))
    assert effects.columns[0] == "line"
    assert effects.shape == (6, 1 + 10)
    assert Trend(0.1, "x").parts(effects).shape == (6, 1)
    two = Trend(0.1, "x", levels=(0.1, 0.9)).effects(rows_of(bent([0, 1, 2, 3, 4])))
    assert Trend(0.1, "x").decide(two) == "supported"


def test_the_headroom_is_from_the_claims_lowest_level_to_the_ceiling():
    rows = rows_of([[0.1, 0.2, 0.3, 0.4, 0.5]])
    assert Trend(0.1, "x").headroom(rows, 1.0) == pytest.approx(0.9)
    assert Trend(0.1, "x", "decreasing").headroom(rows, 1.0) == pytest.approx(0.5)
    more = rows_of([[0.1, 0.2, 0.3, 0.4, 0.5], [0.3, 0.4, 0.5, 0.6, 0.7]])
    assert Trend(0.1, "x").headroom(more, 1.0) == pytest.approx(0.8)
    two = rows_of([[0.1, 0.2]], LEVELS[:2])
    one = rows_of([[0.1]], LEVELS[:1])
    assert Trend(0.1, "x").headroom(two, 1.0) == pytest.approx(0.9)
    assert math.isnan(Trend(0.1, "x").headroom(one, 1.0))


def test_what_cannot_be_a_trend_is_refused():
    with pytest.raises((ValueError, TypeError), match="direction"):
        Trend(0.1, "x", "up")
    with pytest.raises(ValueError, match=r"levels \(1,\)"):
        Trend(0.1, "x", levels=(1,))
    with pytest.raises(ValueError, match="distinct"):
        Trend(0.1, "x", levels=(1, 2, 2))
    assert Trend(0.1, "x", levels=(1, 2)).levels == (1, 2)
    with pytest.raises(ValueError, match="no factor 'y'"):
        Trend(0.1, "y").effects(rows_of([[1.0, 2.0]], (1, 2)))


def test_its_words_say_which_way_and_whether_it_may_turn_back():
    assert Trend(0.1, "x", "decreasing", (1, 2.5)).words == (
        "the fall on a straight line along x over 1, 2.5 is above 0.1, "
        "and no level is behind an earlier one"
    )
    assert Trend(0.1, "x", monotone=False).words == (
        "the rise on a straight line along x is above 0.1"
    )


def test_steps_back_speak_against_it_over_their_number_and_twice():
    form, line = Trend(0.5, "x"), Trend(0.5, "x", monotone=False)
    bent = form.effects(rows_of([[0.0, 2.0, 1.0]] * 5, (1, 2, 3)))
    # Without spread five seeds have strength 21²: for the line, a change of 1, which
    # is above the margin; and for one of three steps, from 2 to 1.
    assert line.support(bent, 0.5) == pytest.approx(21.0**2)
    assert form.support(bent, 0.5) == 1.0
    assert form.refute(bent, 0.5) == pytest.approx(21.0**2 / 3 / 2)
    assert form.refute(bent, 1.5) == pytest.approx(21.0**2 / 2)
    assert line.refute(bent, 1.5) == pytest.approx(21.0**2)


def test_of_two_levels_the_only_step_is_the_line():
    form = Trend(0.5, "x")
    falls = form.effects(rows_of([[2.0, 1.0]] * 5, (1, 2)))
    assert form.refute(falls, 0.5) == pytest.approx(21.0**2)
    assert form.support(falls, 0.5) == pytest.approx(21.0**-0.5)


def test_where_there_is_no_level_nothing_is_said():
    form = Trend(0.5, "x")
    none = form.effects(rows_of([[1.0], [2.0]], (0.5,)))
    assert form.support(none, 0.5) == form.refute(none, 0.5) == 1.0
