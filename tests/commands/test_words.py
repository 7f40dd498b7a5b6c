"""What is no number of seeds, and no time, is said to be none."""

import pytest
import typer

from mae_bench.commands.options import TierName
from mae_bench.commands.words import one_of, seconds_of, seeds_of, spoken
from mae_bench.records.schema import UsageError


@pytest.mark.parametrize(
    "word", ["0", "-1", "5:5", "7:5", ":5", "5:", "a", "1:2:3", ""]
)
def test_seeds_that_are_none_are_refused_in_a_line(word: str) -> None:
    with pytest.raises(UsageError, match=r"names no seeds; say 5 for 0 to 4") as caught:
        seeds_of(word)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("word", "seconds"), [("45s", 45), ("2m", 120), ("1h", 3600), ("1h2m3s", 3723)]
)
def test_a_time_is_in_hours_minutes_and_seconds(word: str, seconds: int) -> None:
    assert seconds_of(word) == seconds


@pytest.mark.parametrize("word", ["", "10", "0s", "m", "3m1h", "-5m", "1.5h", "5 m"])
def test_what_is_no_time_is_refused_in_a_line(word: str) -> None:
    with pytest.raises(
        UsageError, match=r"is no time; say 90s, 30m or 1h30m"
    ) as caught:
        seconds_of(word)
    assert "\n" not in str(caught.value)


def test_on_the_command_line_a_refusal_is_one_of_a_parameter() -> None:
    assert spoken(seconds_of)("1m") == 60.0
    with pytest.raises(typer.BadParameter, match="is no time"):
        spoken(seconds_of)("soon")


def test_one_of_a_few_is_named_with_the_others() -> None:
    assert one_of(TierName, "quick") is TierName.quick
    with pytest.raises(UsageError, match="unknown tier 'huge'; one of smoke, quick"):
        one_of(TierName, "huge")
