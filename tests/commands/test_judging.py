import pytest

from mae_bench.commands.judging import key_of, names_of, renaming
from mae_bench.records.schema import UsageError


def test_a_prediction_is_named_whole_or_by_its_number() -> None:
    assert key_of("K5") == "hierarchical_latents/K5"
    assert key_of("visible_share/N1") == "visible_share/N1"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("K55", "unknown prediction 'K55'; did you mean K5"),
        ("visible_share/N2", "did you mean visible_share/N1"),
        ("qqqqqqqq", "did you mean one of mae-bench list theories"),
    ],
)
def test_an_unknown_prediction_has_its_nearest_names(name: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        key_of(name)


def test_a_metric_of_ours_is_named_as_ones_own() -> None:
    assert renaming("linear_r2/level_0", "root") == ("root", ("linear_r2", "level_0"))
    assert renaming("mcc", "mine") == ("mine", ("mcc", ""))
    with pytest.raises(UsageError, match="unknown metric 'linear_r'; did you mean"):
        renaming("linear_r", "mine")


@pytest.mark.parametrize("words", [["mcc"], ["=x"], ["mcc="], ["mcc=a", "mcc=b"]])
def test_words_that_name_nothing_or_twice_are_refused(words: list[str]) -> None:
    with pytest.raises(UsageError, match="--as"):
        names_of(words)
    with pytest.raises(UsageError, match="named twice"):
        names_of(["mcc=a", "cka=a"])
