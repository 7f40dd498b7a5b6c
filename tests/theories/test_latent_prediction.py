import math

import pytest

from mae_bench.records.schema import Cell, Settings
from mae_bench.theories.latent_prediction import LATENT_PREDICTION

PREDICTIONS = LATENT_PREDICTION.predictions
DERIVED = [n for n, p in PREDICTIONS.items() if p.standing != "extrapolation"]


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


LATENTS = ("data2vec", "i_jepa")


@pytest.fixture
def of_networks(judged):
    """Verdict where methods read as they do of 16,384 images from some number on."""

    def of(number: str, **enough: int) -> str:
        def accuracy(cell: Cell, factors: Settings) -> float:
            due = enough.get(cell.method, math.inf)
            return 0.8 if float(factors["train_images"] or 0) >= due else 0.5

        return judged(PREDICTIONS, number, accuracy)

    return of


@pytest.mark.parametrize("method", LATENTS)
def test_networks_are_compared_where_images_are_few(method: str, of_networks) -> None:
    number = f"KW2-{method}"
    assert of_networks(number, mae=4096, **{method: 1024}) == "supported"
    assert of_networks(number, mae=1024, **{method: 4096}) == "refuted"


@pytest.mark.parametrize("method", LATENTS)
def test_fewer_productions_are_compared_at_fewer_images(
    method: str, of_networks
) -> None:
    number = f"KW2-{method}-3"
    assert of_networks(number, mae=1024, **{method: 256}) == "supported"
    assert of_networks(number, mae=256, **{method: 1024}) == "refuted"


@pytest.mark.parametrize("method", LATENTS)
def test_few_images_are_enough_for_who_gains_nothing_by_more(
    method: str, of_networks
) -> None:
    number = f"KW2-{method}-enough"
    assert of_networks(number, mae=4096, **{method: 1024}) == "supported"
    assert of_networks(number, mae=4096, **{method: 4096}) == "refuted"
    # Where tokens take as few, nothing is said of what is predicted.
    assert of_networks(number, mae=1024, **{method: 1024}) == "void"


@pytest.mark.parametrize(
    ("number", "method"),
    [("KW1-mae", "mae"), *((f"KW2-{m}-learns", m) for m in LATENTS)],
)
def test_who_learns_is_above_the_untrained_where_images_are_many(
    number: str, method: str, of_networks
) -> None:
    assert of_networks(number, **{method: 16384}) == "supported"
    assert of_networks(number) == "refuted"
    assert of_networks(number, **{method: 256}) == "void"
