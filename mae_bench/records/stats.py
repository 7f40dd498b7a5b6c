"""Statistics of a fixed number of seeds: intervals, tests, shares, correlation.

Everything is exact for normal effects; nothing is drawn at random.
"""

import math

import numpy as np
import numpy.typing as npt
from scipy import special, stats

CONFIDENCE = 0.95


def _finite(effects: npt.ArrayLike) -> npt.NDArray[np.float64]:
    sample = np.asarray(effects, dtype=np.float64)
    if sample.ndim != 1 or not np.isfinite(sample).all():
        raise ValueError(
            f"effects must be one finite number a seed, got {sample.tolist()}; "
            "leave out the seeds without one"
        )
    return sample


def mean_and_error(sample: npt.NDArray[np.float64]) -> tuple[float, float]:
    """Mean and its standard error; equal numbers have none, whatever rounding says."""
    if np.ptp(sample) == 0:
        return float(sample[0]), 0.0
    return float(sample.mean()), float(sample.std(ddof=1)) / math.sqrt(sample.size)


def _critical(n: int) -> float:
    """Student's quantile of the two-sided interval."""
    return float(special.stdtrit(n - 1, (1 + CONFIDENCE) / 2))


def student_interval(effects: npt.ArrayLike) -> tuple[float, float, float]:
    """Mean over seeds and its 95 % Student interval.

    Args:
        effects: One number a seed.

    Returns:
        Mean, low, high. The interval is NaN for fewer than two seeds and has no width
        where every seed says the same.

    Raises:
        ValueError: An effect is not finite.

    >>> student_interval([1.0, 1.0, 1.0])
    (1.0, 1.0, 1.0)
    """
    sample = _finite(effects)
    if sample.size < 2:
        return float(sample[0]) if sample.size else math.nan, math.nan, math.nan
    mean, error = mean_and_error(sample)
    half = _critical(sample.size) * error
    return mean, mean - half, mean + half


def p_value(effects: npt.ArrayLike, margin: float = 0.0) -> float:
    """One-sided t test that the mean lies above the margin.

    Args:
        effects: One number a seed.
        margin: In the effects' unit.

    Returns:
        In [0, 1]; 0 or 1 where every seed says the same; NaN for fewer than two.

    >>> p_value([1.0, 1.0], margin=0.5), p_value([1.0, 1.0], margin=1.0)
    (0.0, 1.0)
    """
    sample = _finite(effects)
    if sample.size < 2:
        return math.nan
    mean, error = mean_and_error(sample)
    if error == 0:
        return 0.0 if mean > margin else 1.0
    return float(special.stdtr(sample.size - 1, (margin - mean) / error))


def holm(p: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Holm's step-down adjustment of the p-values that are there (NaN stays NaN).

    Returns:
        Adjusted p-values in the given order, in [0, 1].

    References:
        Holm (1979), A simple sequentially rejective multiple test procedure.

    >>> holm([0.01, 0.04, 0.03]).round(3).tolist()
    [0.03, 0.06, 0.06]
    """
    raw = np.asarray(p, dtype=np.float64)
    adjusted = np.full(raw.shape, np.nan)
    order = np.argsort(raw, kind="stable")[: int(np.isfinite(raw).sum())]
    steps = raw[order] * np.arange(len(order), 0, -1)
    adjusted[order] = np.minimum(1.0, np.maximum.accumulate(steps))
    return adjusted


def wilson(successes: int, n: int) -> tuple[float, float, float]:
    """Share of successes and its 95 % Wilson interval; NaN without trials.

    Raises:
        ValueError: More successes than trials, or fewer than none.

    References:
        Wilson (1927), Probable inference, the law of succession.

    >>> [round(v, 3) for v in wilson(8, 10)]
    [0.8, 0.49, 0.943]
    """
    if successes == n == 0:
        return math.nan, math.nan, math.nan
    share = stats.binomtest(successes, n)
    low, high = share.proportion_ci(CONFIDENCE, method="wilson")
    return float(share.statistic), float(low), float(high)


def kendall_tau(x: npt.ArrayLike, y: npt.ArrayLike) -> float:
    """Kendall's tau-b of ``y`` with the ``x`` that orders it, in [-1, 1].

    Returns:
        0 if only ``y`` is constant: it does not follow; NaN if ``x`` is, and orders
        nothing.

    >>> round(kendall_tau([1, 2, 3], [10, 30, 20]), 3), kendall_tau([1, 2], [5, 5])
    (0.333, 0.0)
    """
    return float(kendall_taus(np.atleast_2d(x), np.atleast_2d(y))[0])


def kendall_taus(x: npt.ArrayLike, y: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """The same of each row, ``[s, n]`` and ``[s, n]`` to ``[s]``; O(s n²) of memory."""
    first, second = (np.asarray(rows, np.float64) for rows in (x, y))
    i, j = np.triu_indices(first.shape[1], 1)
    dx, dy = (np.sign(rows[:, i] - rows[:, j]) for rows in (first, second))
    ordered, moved = (np.count_nonzero(d, axis=1) for d in (dx, dy))
    with np.errstate(invalid="ignore"):
        tau = (dx * dy).sum(axis=1) / np.sqrt(ordered) / np.sqrt(moved)
    tau = np.where(moved == 0, 0.0, tau)
    return np.where(ordered == 0, np.nan, tau)
