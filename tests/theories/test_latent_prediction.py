import math

import pytest

from mae_bench.records.schema import Cell, Settings
from mae_bench.theories.latent_prediction import LATENT_PREDICTION

PREDICTIONS = LATENT_PREDICTION.predictions
EXACT = [n for n in PREDICTIONS if not n.endswith(("data2vec", "jepa"))]
DERIVED = [n for n in EXACT if n != "KW1-leaves"]


def counted(factors: Settings, token_step: float = 1.0) -> dict[str, float]:
    """log2 P* if tokens take so many powers of m more a level, and latents none."""
    rules = str(factors["rules"]).split(",")
    depth, m = len(rules), math.log2(float(rules[0].partition(":")[2]))
    top = 2 + (3 + token_step * (depth - 2)) * m
    return {
        "tokens/level_1": top,
        "tokens/level_2": 3 * m,
        "latents/level_1": 2 + 3 * m,
        "far_tokens/level_2": 4 + 5 * m,
        "saving/level_1": top - 2 - 3 * m,
        "saving/level_2": 0.0,
        "own/tokens/level_1": 0.95,
        "elsewhere/tokens/level_1": 0.0,
    }


@pytest.fixture
def verdict(judged):
    def of(number: str, token_step: float = 1.0, **changed: float) -> str:
        def measured(_: Cell, factors: Settings) -> dict[str, float]:
            return counted(factors, token_step) | changed

        return judged(PREDICTIONS, number, measured)

    return of


@pytest.mark.parametrize("number", DERIVED)
def test_one_power_a_level_supports_what_was_derived(number: str, verdict) -> None:
    assert verdict(number) == "supported"


def test_the_reading_that_counts_from_leaves_is_refuted_by_it(verdict) -> None:
    assert verdict("KW1-leaves") == "refuted"


def test_two_powers_a_level_support_that_reading_and_refute_ours(verdict) -> None:
    assert verdict("KW1-leaves", token_step=2.0) == "supported"
    assert verdict("KW1-second", token_step=2.0) == "refuted"
    assert verdict("KW2-saving", token_step=2.0) == "refuted"


@pytest.mark.parametrize("number", ["KW1-second", "KW2-saving"])
def test_where_tokens_are_as_good_as_latents_there_is_no_saving(
    number: str, verdict
) -> None:
    assert verdict(number, token_step=0.0) == "refuted"


def test_depth_makes_no_void_claim_where_it_makes_no_difference(verdict) -> None:
    assert verdict("KW2-depth", token_step=0.0) == "void"


def test_latents_that_are_found_in_other_strings_refute(verdict) -> None:
    assert verdict("KW0", **{"elsewhere/tokens/level_1": 0.6}) == "refuted"


@pytest.mark.parametrize("method", ["data2vec", "i_jepa"])
def test_networks_are_compared_where_images_are_few(method: str, judged) -> None:
    def measured(better: str):
        def accuracy(cell: Cell, _: Settings) -> float:
            return 0.8 if cell.method == better else 0.5

        return accuracy

    number = f"KW2-{method}"
    assert judged(PREDICTIONS, number, measured(method)) == "supported"
    assert judged(PREDICTIONS, number, measured("mae")) == "refuted"
