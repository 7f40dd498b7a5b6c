"""Numbers as they stand in a sentence: ``.898``, and not ``0.8983``."""

from __future__ import annotations

import math

import pandas as pd

from mae_bench.records.schema import UsageError
from mae_bench.records.stats import student_interval


def bare(value: float | pd.Series, digits: int = 3) -> str:
    """A number as it stands in a sentence; of numbers by seed the mean.

    Args:
        value: The number, or a number a seed.
        digits: Decimals, fewer where it is large.

    >>> bare(0.8983), bare(-0.44, 2), bare(1.0), bare(15.3011), bare(8e-6)
    ('.898', '-.44', '1.000', '15.3', '8e-06')
    """
    number = float(value.mean()) if isinstance(value, pd.Series) else float(value)
    if not math.isfinite(number):
        raise UsageError("a field has no number")
    size = abs(number)
    if 0 < size < 0.5 * 10**-digits:
        return f"{number:.0e}"
    shown = f"{number:.{digits if size < 10 else 1}f}"
    sign = "-" * shown.startswith("-")
    shown = shown.removeprefix("-")
    return sign + (shown.removeprefix("0") if digits else shown)


def interval(sample: pd.Series, digits: int = 3) -> str:
    """Mean over the seeds that have a number, and its 95 % Student interval.

    >>> interval(pd.Series([0.5, 0.6, 0.7]))
    '.600 (.352 to .848)'
    """
    mean, low, high = (bare(x, digits) for x in student_interval(sample.dropna()))
    return f"{mean} ({low} to {high})"
