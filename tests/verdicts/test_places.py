"""Rank intervals on tables of values: ties, orders, pairing, too few seeds."""

import math

import numpy as np
import pandas as pd

from mae_bench.verdicts.places import rank_intervals


def test_ties_are_ties():
    table = pd.DataFrame(
        np.random.default_rng(0).normal(size=(5, 4)), columns=[*"abcd"]
    )
    assert rank_intervals(table, "max") == dict.fromkeys("abcd", (1, 4))
    same = pd.DataFrame(0.5, index=range(5), columns=[*"ab"])
    assert rank_intervals(same, "max") == {"a": (1, 2), "b": (1, 2)}


def test_a_tie_within_an_order_spans_its_ranks():
    rng = np.random.default_rng(1)
    table = pd.DataFrame(
        rng.normal([0.0, 5.0, 5.0, 9.0], 0.1, (6, 4)), columns=["d", "b", "c", "a"]
    )
    expected = {"a": (1, 1), "b": (2, 3), "c": (2, 3), "d": (4, 4)}
    assert rank_intervals(table, "max") == expected
    assert rank_intervals(-table, "min") == expected
    assert rank_intervals(table, "min")["d"] == (1, 1)


def test_pairing_by_seed_sees_through_what_seeds_share():
    rng = np.random.default_rng(2)
    world = rng.normal(0, 3, (5, 1))
    table = pd.DataFrame(
        world + np.array([0.0, 0.5]) + rng.normal(0, 0.02, (5, 2)), columns=[*"ab"]
    )
    assert rank_intervals(table, "max") == {"a": (2, 2), "b": (1, 1)}


def test_the_rank_of_one_of_equal_methods_is_wrong_in_at_most_5_of_100_boards():
    tables = np.random.default_rng(3).normal(size=(400, 5, 4))
    found = [rank_intervals(pd.DataFrame(t, columns=[*"abcd"]), "max") for t in tables]
    wrong = [rank != (1, 4) for ranks in found for rank in ranks.values()]
    assert np.mean(wrong) < 0.055


def test_too_few_seeds_are_not_ranked_and_do_not_count():
    table = pd.DataFrame({"a": [1.0, 1.1, 0.9, 1.0], "b": [2.0, 2.2, 1.9, 2.0]})
    table["c"] = [9.0, 9.0, math.nan, math.nan]
    assert rank_intervals(table, "max") == {"a": (2, 2), "b": (1, 1)}
    apart = pd.DataFrame(
        {"a": [1.0] * 3 + [math.nan] * 3, "b": [math.nan] * 3 + [2.0] * 3}
    )
    assert rank_intervals(apart, "max") == {"a": (1, 2), "b": (1, 2)}
    assert rank_intervals(pd.DataFrame(), "max") == {}


def test_the_same_difference_in_every_seed_is_one_observation() -> None:
    # Two frozen encoders on a finite set of images, say.
    table = pd.DataFrame({"one": [0.1, 0.2, 0.4], "two": [0.2, 0.3, 0.5]})
    assert rank_intervals(table, "max") == {"one": (1, 2), "two": (1, 2)}


def test_smaller_can_be_better():
    table = pd.DataFrame({"one": [0.1, 0.2, 0.3], "two": [0.8, 0.9, 1.1]})
    assert rank_intervals(table, "min") == {"one": (1, 1), "two": (2, 2)}
