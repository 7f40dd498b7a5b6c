"""How strongly a few seeds speak for one side of a margin, whenever one looks.

A strength is an e-value: a number that is 1 or less on average if the mean is not where
it is said to be, so that it reaches 20 by chance with 5 % at most. ``Anytime`` keeps
that promise after every seed and at any stop. ``Fixed`` is Student's test in the same
unit, ``1 / (2 p)``; it holds where the number of seeds was chosen before any was seen.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt
from scipy import optimize, special, stats

from mae_bench.records.stats import mean_and_error

# Strength at which one claim is decided: 2.5 % for each side.
DECISIVE = 20.0
# With fewer no anytime strength reaches 20, and no spread is known.
ENOUGH_SEEDS = 4
# Variance of the effect, in units of a seed's, over which alternatives are mixed.
_G = 4.0
MOST_SEEDS = 1000
_LARGEST_LOG = 700.0


@dataclass(frozen=True)
class Rule(ABC):
    """A way to weigh one effect a seed.

    Args:
        at: Speak as if there were so many seeds, of the same mean and spread.
    """

    at: int | None = None

    @abstractmethod
    def strength(self, n: int, t: float) -> float:
        """Of ``n`` seeds, that the mean is above the point from which t is counted."""

    @abstractmethod
    def critical(self, n: int, strength: float) -> float:
        """The least t of that strength; infinite if none has it."""

    def above(self, effects: npt.ArrayLike, margin: float) -> float:
        """Strength that the mean lies above the margin.

        Args:
            effects: One finite number a seed.
            margin: In the effects' unit.

        Returns:
            1, which says nothing, below four seeds.
        """
        sample = np.asarray(effects, dtype=np.float64)
        n = sample.size if self.at is None else self.at
        if min(n, sample.size) < ENOUGH_SEEDS:
            return 1.0
        mean, error = mean_and_error(sample)
        error *= math.sqrt(sample.size / n)
        with np.errstate(divide="ignore", over="ignore"):
            t = np.divide(mean - margin, error) if mean != margin else 0.0
        return self.strength(n, float(t))

    def interval(
        self, effects: npt.ArrayLike, strength: float = DECISIVE
    ) -> tuple[float, float, float]:
        """Mean, and the margins between which neither side has that strength.

        Returns:
            Mean, low, high; NaN for both ends below four seeds.
        """
        sample = np.asarray(effects, dtype=np.float64)
        if not sample.size:
            return math.nan, math.nan, math.nan
        mean, error = mean_and_error(sample)
        if sample.size < ENOUGH_SEEDS:
            return mean, math.nan, math.nan
        half = self.critical(sample.size, strength) * error if error else 0.0
        return mean, mean - half, mean + half


@dataclass(frozen=True)
class Anytime(Rule):
    """The right-Haar mixture of t tests: an e-process, to be looked at after each seed.

    For effects ``x_i ~ N(m + s d, s^2)`` with ``1/s`` as the prior of s and
    ``d ~ N(0, g)``, the Bayes factor against ``d = 0`` depends on t alone,

        e_n = (1 + n g)^(-1/2) ((1 + a) / (1 + a / (1 + n g)))^(n / 2),  a = t^2 / (n-1)

    and is a martingale under ``d = 0`` whatever s is. Of the margins that are below
    the claim none may be true, so the strength is the least e_n over them: e_n itself
    for t > 0, and its value at t = 0 otherwise.

    References:
        Lai (1976), Ann. Statist. 4; Pérez-Ortiz, Lardy, de Heide & Grünwald (2024),
        Ann. Statist. 52; Wang & Ramdas (2025), anytime-valid t-tests.
    """

    def strength(self, n: int, t: float) -> float:
        """See ``Rule``; without spread it is the limit, ``(1 + n g)^((n - 1) / 2)``."""
        c = 1 / (1 + n * _G)
        if t == math.inf:
            return math.exp(min(-math.log(c) * (n - 1) / 2, _LARGEST_LOG))
        a = max(t, 0.0) ** 2 / (n - 1)
        log = n / 2 * (math.log1p(a) - math.log1p(c * a)) + math.log(c) / 2
        return math.exp(min(log, _LARGEST_LOG))

    def critical(self, n: int, strength: float) -> float:
        """See ``Rule``; solved for t."""
        c = 1 / (1 + n * _G)
        q = (math.sqrt(c) / strength) ** (2 / n)
        return math.sqrt((n - 1) * (1 - q) / (q - c)) if q > c else math.inf


@dataclass(frozen=True)
class Fixed(Rule):
    """Student's t test at a number of seeds that was chosen beforehand."""

    def strength(self, n: int, t: float) -> float:
        """``1 / (2 p)`` of the one-sided test, infinite without spread."""
        p = float(special.stdtr(n - 1, -t))
        return 0.5 / p if p else math.inf

    def critical(self, n: int, strength: float) -> float:
        """Student's quantile at ``p = 1 / (2 strength)``."""
        return float(special.stdtrit(n - 1, 1 - 0.5 / strength))


ANYTIME, FIXED = Anytime(), Fixed()


def of_signs(claimed: npt.ArrayLike) -> float:
    """Strength that a seed is as claimed more often than not.

    The companion of effects that are skewed, of which a mean says little: k of n seeds
    are, and shares from 1/2 to 1 are mixed evenly,
    ``2^(n+1) int_(1/2)^1 p^k (1-p)^(n-k) dp``. It is an e-process for any distribution
    of which half of the seeds, or more, are not as claimed.

    Args:
        claimed: A truth value a seed.

    >>> round(of_signs([True] * 6), 1)
    18.1
    """
    sample = np.asarray(claimed, dtype=bool)
    n, k = sample.size, int(sample.sum())
    upper = special.betaincc(k + 1, n - k + 1, 0.5)
    log = (n + 1) * math.log(2) + special.betaln(k + 1, n - k + 1)
    return float(math.exp(log) * upper)


def benjamini_hochberg(
    strengths: npt.ArrayLike, level: float = 0.05
) -> tuple[npt.NDArray[np.bool_], float]:
    """Which of K claims are decided, so that of these ``level`` at most are wrong.

    The k largest are, for the largest k whose k-th strength is ``K / (level k)`` or
    more. It holds under any dependence: predictions share cells.

    Args:
        strengths: Of every claim that was put to the test; 1 for those without data.
        level: The false discovery rate.

    Returns:
        Whether each is decided, and the strength that was asked for; where no claim is
        decided, what the first would need.

    References:
        Wang & Ramdas (2022), False discovery rate control with e-values.

    >>> benjamini_hochberg([100.0, 30.0, 1.0])[0].tolist()
    [True, True, False]
    """
    values = np.asarray(strengths, dtype=np.float64)
    asked = len(values) / (level * np.arange(1, len(values) + 1))
    passed = np.flatnonzero(np.sort(values)[::-1] >= asked)
    threshold = float(asked[passed[-1] if passed.size else 0]) if asked.size else 0.0
    return values >= threshold, threshold


@cache
def _quantiles(n: int) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Spreads of n seeds in units of the true one, and how much each counts."""
    u, weight = np.polynomial.legendre.leggauss(80)
    scale = 1 / math.sqrt(n - 1)
    return stats.chi.ppf((u + 1) / 2, n - 1, scale=scale), weight / 2


@cache
def detectable(n: int, critical: float, power: float, *, two_sided: bool) -> float:
    """Distance, in standard errors of a sample, that mostly passes a critical t.

    It is counted in errors that were themselves estimated from n seeds, and the power
    is the mean over both samples: ``P(Z + k W > t W')`` with Z normal and W, W' spreads
    of n seeds; two-sided, ``P(|Z| + t W' < k W)``. (With the sample's spread taken
    for the true one a power of .8 is .7 in truth.)
    """
    if not math.isfinite(critical):
        return math.inf
    w, weight = _quantiles(n)
    here, new = w[:, None], w[None, :]

    def lacking(k: float) -> float:
        room = k * here - critical * new
        passed = special.erf(room.clip(0) / math.sqrt(2)) if two_sided else None
        passed = special.ndtr(room) if passed is None else passed
        return float(weight @ passed @ weight) - power

    high = 1.0
    while lacking(high) < 0:
        high *= 2
    return float(optimize.brentq(lacking, 0.0, high))


def seeds_until(enough: Callable[[int], bool], start: int) -> float:
    """The least number of seeds at which a test is passed; infinite beyond 1,000.

    Args:
        enough: Whether a number of seeds is; from some number on it always is.
        start: The number that there is.
    """
    low, high = start, max(start, ENOUGH_SEEDS)
    while not enough(high):
        low, high = high, 2 * high
        if low >= MOST_SEEDS:
            return math.inf
    while low + 1 < high:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return float(high)
