"""Where in a history a number moved for good: steps, told from spikes and from noise.

A history is e[t, i], the error of seed i at commit t. A seed is the same world, images
and first weights at every commit, so e[t, i] = a_i + μ_t + ε[t, i], where ε, of
variance σ², is how training answers to any change of its arithmetic. A commit that
leaves every seed's number as it was draws no new ε: it is the state before, once more.

Over K states of S seeds the means m_t have variance σ²/S, with σ² from what is left of
e after its rows and columns, of (K - 1)(S - 1) degrees of freedom. Levels are the
partition of the states that minimises

    Σ_t (m_t - level_t)² S / σ² + β · (number of steps),

over all partitions, exactly. β = q², with q the Student quantile at 1 - α / (K - 1):
of a history without any step, one that is worse is found with probability α at most,
and one that is better likewise (Bonferroni, over the places where one could be). A
single state that neither neighbour's level explains, while these agree, is a spike: a
commit that was mended by the next.

Where between two levels the step lies, has a posterior: p(k) ∝ exp(-S R_k / 2 σ²) /
√(a b), of the R_k left over by two means of a and b states, with each place as likely
before and the means free. The fewest places that have 95 % of it are a step's range.

References:
    Jackson et al. 2005, IEEE Signal Processing Letters 12(2): the optimal partition.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

ALPHA = 0.05
LEAST_SEEDS, LEAST_COMMITS = 3, 3


@dataclass(frozen=True)
class Step:
    """A level that ends and another that begins.

    Args:
        before: Index of the last commit of the old level.
        after: Index of the first commit of the new one; not always the next, where a
            spike lies between.
        change: Of the mean error; above 0 is worse.
        low: Lower end of its 95 % interval, at this place.
        high: Upper end.
        earliest: Of the first commits of the new level that are likely, 95 % together.
        latest: The last of these.
        settled: Whether more than the newest state says so, which may yet be a spike.
    """

    before: int
    after: int
    change: float
    low: float
    high: float
    earliest: int
    latest: int
    settled: bool


def steps(errors: ArrayLike, alpha: float = ALPHA) -> list[Step]:
    """Find the steps of one history.

    Args:
        errors: ``[commits, seeds]``, oldest first, without NaN.
        alpha: Probability of any step to the worse where there is none.

    Returns:
        In order of time; none of fewer than three commits or seeds.

    Raises:
        ValueError: Not a table of finite numbers.

    >>> [step.after for step in steps([[1, 2, 3]] * 4 + [[5, 6, 7.1]] * 3)]
    [4]
    """
    e = np.asarray(errors, dtype=np.float64)
    if e.ndim != 2 or not np.isfinite(e).all():
        raise ValueError("errors are no table of finite numbers, [commits, seeds]")
    if e.shape[0] < LEAST_COMMITS or e.shape[1] < LEAST_SEEDS:
        return []
    first = states(e)
    e = e[first]
    if len(e) < 2:
        return []
    freedom = (e.shape[0] - 1) * (e.shape[1] - 1)
    error = math.sqrt(_noise(e) / e.shape[1])
    q = float(stats.t.isf(alpha / (len(e) - 1), freedom))
    m = e.mean(axis=1)
    levels = _without_spikes(partition(m, (q * error) ** 2), m, q * error)
    wide = float(stats.t.isf(0.025, freedom)) * error
    return [_step(old, new, m, first, error, wide) for old, new in pairwise(levels)]


def states(errors: NDArray[np.float64]) -> NDArray[np.intp]:
    """The commits, by index, at which any seed's number is not as it was.

    >>> states(np.array([[1.0, 2], [1, 2], [1, 3], [1, 3]]))
    array([0, 2])
    """
    moved = (errors[1:] != errors[:-1]).any(axis=1)
    return np.flatnonzero(np.concatenate([[True], moved]))


def _noise(e: NDArray[np.float64]) -> float:
    """σ², from what neither the state nor the seed explains."""
    rest = e - e.mean(axis=1, keepdims=True) - e.mean(axis=0) + e.mean()
    return float((rest**2).sum() / ((e.shape[0] - 1) * (e.shape[1] - 1)))


def partition(m: NDArray[np.float64], penalty: float) -> list[list[int]]:
    """The levels whose squares left over, and a penalty for each, are least in sum.

    Args:
        m: ``[states]``.
        penalty: For each level, in the unit of m squared.

    Returns:
        Indices of each level, in order; of partitions as good, one with fewer levels.
    """
    one = np.concatenate([[0.0], np.cumsum(m - m.mean())])
    two = np.concatenate([[0.0], np.cumsum((m - m.mean()) ** 2)])
    best, start = [0.0], [0]
    for end in range(1, len(m) + 1):
        i = np.arange(end)
        left = two[end] - two[i] - (one[end] - one[i]) ** 2 / (end - i)
        costs = np.array(best) + np.maximum(left, 0.0) + penalty
        start.append(int(costs.argmin()))
        best.append(float(costs.min()))
    levels, end = [], len(m)
    while end:
        levels.append(list(range(start[end], end)))
        end = start[end]
    return levels[::-1]


def _without_spikes(
    levels: list[list[int]], m: NDArray[np.float64], reach: float
) -> list[list[int]]:
    """Levels, a single state between two that agree taken out and these made one."""
    found = levels[:1]
    for level in levels[1:]:
        if len(found) > 1 and len(found[-1]) == 1:
            old = found[-2]
            if abs(m[level].mean() - m[old].mean()) <= reach * _width(old, level):
                found[-2:] = [old + level]
                continue
        found.append(level)
    return found


def _width(old: list[int], new: list[int]) -> float:
    return math.sqrt(1 / len(old) + 1 / len(new))


def _step(
    old: list[int],
    new: list[int],
    m: NDArray[np.float64],
    first: NDArray[np.intp],
    error: float,
    wide: float,
) -> Step:
    change = float(m[new].mean() - m[old].mean())
    half = wide * _width(old, new)
    after = int(first[new[0]])
    # The old level lasts as long as its last state was seen.
    before = int(first[old[-1] + 1]) - 1
    both = np.array([*old, *new])
    likely = first[both[_likely(m[both], len(old), error)]]
    earliest, latest = int(likely.min()), int(likely.max())
    settled = len(new) > 1 or new[0] < len(m) - 1
    low, high = change - half, change + half
    return Step(before, after, change, low, high, earliest, latest, settled)


def _likely(m: NDArray[np.float64], at: int, error: float) -> NDArray[np.intp]:
    """The fewest sizes of the old level that have 95 % of the posterior."""
    if error == 0:
        return np.array([at])
    a = np.arange(1, len(m))
    old = np.cumsum(m)[:-1]
    explained = old**2 / a + (m.sum() - old) ** 2 / (len(m) - a)
    log = explained / (2 * error**2) - 0.5 * np.log(a * (len(m) - a))
    share = np.exp(log - log.max())
    share /= share.sum()
    order = np.argsort(-share, kind="stable")
    enough = int(np.searchsorted(np.cumsum(share[order]), 0.95)) + 1
    return np.append(a[order[:enough]], at)
