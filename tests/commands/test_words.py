"""Words that stand for seeds, a time, or one of a few, and those that do not."""

import pytest

from mae_bench.commands.options import TierName
from mae_bench.commands.words import one_of, seconds_of, seeds_of
from mae_bench.records.schema import UsageError


@pytest.mark.parametrize(
    "word", ["0", "-1", "5:5", "7:5", ":5", "5:", "a", "1:2:3", ""]
)
def test_seeds_that_are_none_are_refused_in_a_line(word: str) -> None:
    with pytest.raises(UsageError, match=r"names no seeds; say 5 for 0 to 4") as caught:
        seeds_of(word)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("word", ["", "0m", "5", "-1s", "1m1h"])
def test_a_time_that_is_none_is_refused_in_a_line(word: str) -> None:
    with pytest.raises(UsageError, match="is no time; say 90s, 30m or 1h30m"):
        seconds_of(word)


def test_one_of_a_few_is_named_with_the_others() -> None:
    assert one_of(TierName, "quick") is TierName.quick
    with pytest.raises(UsageError, match="unknown tier 'huge'; one of smoke, quick"):
        one_of(TierName, "huge")
