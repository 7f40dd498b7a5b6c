"""A number in a sentence has as many digits as it can bear."""

import math

import pandas as pd
import pytest

from mae_bench.pages.numerals import bare, interval
from mae_bench.records.schema import UsageError


@pytest.mark.parametrize(
    ("value", "digits", "said"),
    [
        (0.8983, 3, ".898"),
        (-0.0004, 3, "-4e-04"),
        (12.345, 3, "12.3"),
        (0.0, 2, ".00"),
        (3.0, 0, "3"),
        (pd.Series([0.25, 0.75]), 2, ".50"),
    ],
)
def test_digits_fall_away_where_they_say_nothing(
    value: float | pd.Series, digits: int, said: str
) -> None:
    assert bare(value, digits) == said


def test_a_seed_without_a_number_is_left_out() -> None:
    assert interval(pd.Series([0.5, math.nan, 0.6, 0.7])) == ".600 (.352 to .848)"


@pytest.mark.parametrize("value", [math.nan, math.inf, pd.Series([], dtype=float)])
def test_what_is_no_number_is_refused(value: float | pd.Series) -> None:
    with pytest.raises(UsageError, match="has no number"):
        bare(value)
    with pytest.raises(UsageError, match="has no number"):
        interval(pd.Series([0.5]))  # of which there is no interval
