"""Which ranks the seeds allow: a method's place among others, as an interval."""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from mae_bench.records.stats import CONFIDENCE, holm, p_value

ENOUGH_SEEDS = 3


def rank_intervals(
    table: pd.DataFrame, direction: Literal["max", "min"]
) -> dict[str, tuple[int, int]]:
    """Best and worst rank of each method that its seeds allow.

    A method is compared with every other on the seeds that both have, by two-sided t
    tests of the differences, Holm-adjusted over its own comparisons: 95 % is the
    confidence of each interval, not of all of them together. A pair that cannot be
    told apart, or that shares too few seeds, is a tie.

    Args:
        table: Values, seeds against methods; NaN where there is none.
        direction: Which way is better.

    Returns:
        Method -> (best, worst), from 1; methods with fewer than three seeds are absent.
    """
    ranked = [str(m) for m in table if table[m].count() >= ENOUGH_SEEDS]
    of = {method: table[method].to_numpy(float) for method in ranked}
    found = {}
    for mine in ranked:
        others = [other for other in ranked if other != mine]
        tests = [_better(of[mine] - of[other], direction) for other in others]
        adjusted = holm([p for _, p in tests])
        told = [
            leads
            for (leads, _), p in zip(tests, adjusted, strict=True)
            if p < 1 - CONFIDENCE
        ]
        ahead = sum(told)
        found[mine] = (1 + len(told) - ahead, len(ranked) - ahead)
    return found


def _better(difference: npt.NDArray[np.float64], direction: str) -> tuple[bool, float]:
    """Whether the first of a pair leads, and the two-sided p-value of that."""
    d = difference[~np.isnan(difference)] * (1 if direction == "max" else -1)
    # The same difference in every seed is one observation, not several.
    if len(d) < ENOUGH_SEEDS or np.ptp(d) < 1e-9:
        return False, math.nan
    above, below = p_value(d), p_value(-d)
    return above < below, min(1.0, 2 * min(above, below))
