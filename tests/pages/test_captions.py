import pytest

from mae_bench.pages.captions import TOLD, caption, figures_of
from mae_bench.pages.limits import LIMITS
from mae_bench.pages.plot import OF_A_TABLE


def test_an_experiments_figure_is_told_by_its_question_measures_and_factor() -> None:
    words = caption("mask_ratio")
    assert words.startswith("Which mask ratio makes the encoder keep the root")
    for word in ("linear r2 level 0", "against mask ratio", "95 %"):
        assert word in words


def test_what_plot_draws_of_tables_and_oracles_is_told() -> None:
    assert {*OF_A_TABLE, "effects"} <= {*TOLD}
    for name, limit in LIMITS.items():
        assert limit.title in caption(name)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("effects_2", " Part 2."),
        ("effects", TOLD["effects"]),
        ("mine", "Figure: mine."),
    ],
)
def test_parts_and_strangers_are_named(name: str, words: str) -> None:
    assert caption(name).endswith(words)


def test_an_experiment_is_shown_by_its_own_figure_and_by_those_of_its_limits() -> None:
    drawn = ["belief_propagation", "mask_ratio", "gaussian_conditioning", ""]
    assert figures_of("mask_ratio", drawn) == ["mask_ratio"]
    both = {"belief_propagation", "gaussian_conditioning"}
    assert set(figures_of("recoverability", drawn)) == both
    assert figures_of("", drawn) == figures_of("uniformity", drawn) == []
