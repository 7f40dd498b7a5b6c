"""Steps at their ends, against all partitions, and how often there is none."""

from itertools import combinations, pairwise

import numpy as np
import pytest
from scipy import stats

from mae_bench.commits.steps import partition, states, steps

T, S = 30, 5


def noise(rng: np.random.Generator, commits: int = T) -> np.ndarray:
    return rng.normal(size=(commits, S)) + 2 * rng.normal(size=S)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("penalty", [0.5, 3.0])
def test_the_partition_is_the_best_of_all(seed: int, penalty: float) -> None:
    rng = np.random.default_rng(seed)
    m = rng.normal(size=9) + np.repeat([0, 2, -1], 3)

    def cost(cuts: tuple[int, ...]) -> float:
        parts = np.split(m, cuts)
        return sum(((part - part.mean()) ** 2).sum() + penalty for part in parts)

    every = [cuts for n in range(9) for cuts in combinations(range(1, 9), n)]
    best = min(every, key=cost)
    levels = partition(m, penalty)
    assert [level[0] for level in levels[1:]] == list(best)
    assert [i for level in levels for i in level] == list(range(9))


def test_a_step_is_found_where_it_is_with_its_size_and_a_students_interval() -> None:
    rng = np.random.default_rng(0)
    e = noise(rng)
    e[20:] += 2
    (found,) = steps(e)
    assert (found.before, found.after, found.settled) == (19, 20, True)
    assert found.change == pytest.approx(e[20:].mean() - e[:20].mean())
    # σ² is that of a two-way layout without interaction.
    rest = e - e.mean(1, keepdims=True) - e.mean(0) + e.mean()
    freedom = (T - 1) * (S - 1)
    error = np.sqrt((rest**2).sum() / freedom / S * (1 / 20 + 1 / 10))
    half = stats.t.ppf(0.975, freedom) * error
    assert (found.low, found.high) == pytest.approx(
        (found.change - half, found.change + half)
    )


def test_without_a_step_one_is_found_in_a_twentieth_at_most_on_either_side() -> None:
    rng = np.random.default_rng(1)
    found = [steps(noise(rng)) for _ in range(300)]
    worse = sum(any(step.change > 0 for step in of) for of in found)
    better = sum(any(step.change < 0 for step in of) for of in found)
    assert max(worse, better) <= stats.binom.isf(0.01, 300, 0.05)


def test_a_loss_of_one_deviation_is_found_in_nine_of_ten() -> None:
    rng = np.random.default_rng(2)
    hits = 0
    for _ in range(200):
        e = noise(rng, 50)
        at = rng.integers(5, 46)
        e[at:] += 1
        hits += any(abs(step.after - at) <= 3 and step.change > 0 for step in steps(e))
    assert hits >= 0.9 * 200


def test_a_commit_that_the_next_one_mends_is_a_spike() -> None:
    rng = np.random.default_rng(3)
    e = noise(rng)
    e[12] += 9
    assert steps(e) == []
    e[20:] += 9
    assert [step.after for step in steps(e)] == [20]


def test_the_newest_commit_alone_is_not_settled() -> None:
    rng = np.random.default_rng(4)
    e = noise(rng)
    e[-1] += 9
    (found,) = steps(e)
    assert (found.after, found.settled) == (T - 1, False)
    again = np.vstack([e, e[-1:]])  # the same numbers once more are no more evidence
    (found,) = steps(again)
    assert (found.after, found.settled) == (T - 1, False)


def test_commits_that_move_nothing_draw_no_noise() -> None:
    rng = np.random.default_rng(5)
    e = noise(rng, 6)
    e[3:] += 5
    twice = np.repeat(e, 4, axis=0)
    (once,), (found,) = steps(e), steps(twice)
    assert (found.before, found.after) == (11, 12)
    assert (found.low, found.high) == pytest.approx((once.low, once.high))
    assert states(twice).tolist() == list(range(0, 24, 4))


def test_adding_a_seeds_own_level_changes_nothing() -> None:
    rng = np.random.default_rng(6)
    e = noise(rng)
    e[10:] += 2
    shifted = e + np.array([100.0, -3, 0, 7, 50])
    for one, two in zip(steps(e), steps(shifted), strict=True):
        assert (one.after, one.change) == (two.after, pytest.approx(two.change))


@pytest.mark.parametrize("shape", [(2, 5), (9, 2), (0, 5), (9, 0)])
def test_too_little_says_nothing(shape: tuple[int, int]) -> None:
    rng = np.random.default_rng(7)
    assert steps(rng.normal(size=shape)) == []


def test_a_history_in_which_nothing_moves_has_no_step() -> None:
    assert steps(np.ones((9, 5))) == []


def test_levels_follow_each_other() -> None:
    rng = np.random.default_rng(8)
    e = noise(rng) + np.repeat([0, 4, 1], 10)[:, None]
    found = steps(e)
    assert [step.after for step in found] == [10, 20]
    assert all(one.after <= two.before for one, two in pairwise(found))


@pytest.mark.parametrize("table", [[1, 2, 3], [[1, float("nan"), 2]] * 4])
def test_what_is_no_table_of_numbers_is_refused(table: list) -> None:
    with pytest.raises(ValueError, match="no table of finite numbers"):
        steps(table)


def test_the_range_has_the_place_in_19_of_20_and_is_short_where_it_is_clear() -> None:
    rng = np.random.default_rng(9)
    hits, widths = 0, {1: [], 4: []}
    for _ in range(200):
        for size, widest in widths.items():
            e = noise(rng, 40)
            at = rng.integers(8, 33)
            e[at:] += size
            found = [step for step in steps(e) if step.change > 0]
            hits += any(step.earliest <= at <= step.latest for step in found)
            widest += [step.latest - step.earliest + 1 for step in found]
    assert hits >= stats.binom.ppf(0.01, 400, 0.95)
    assert np.mean(widths[4]) < 1.3 < np.mean(widths[1]) < 6


def test_a_step_across_a_spike_keeps_its_place() -> None:
    rng = np.random.default_rng(10)
    e = noise(rng)
    e[4] += 30
    e[20:] += 9
    (found,) = steps(e)
    assert (found.earliest, found.after, found.latest) == (20, 20, 20)
