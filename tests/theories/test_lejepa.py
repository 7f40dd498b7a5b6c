from functools import cache

import pytest

from mae_bench.oracles.lejepa_bounds import shape_r2
from mae_bench.theories.lejepa import LEJEPA

PREDICTIONS = LEJEPA.predictions
RANKED = tuple(number for number in PREDICTIONS if number.startswith("LL1"))


told_of = cache(shape_r2)


def found(factors):
    """Of a training that reaches its optimum, and is half way after a tenth."""
    done = factors["stop"] == 1.0
    told = told_of(factors["alpha"])
    return {
        ("alignment_slack", "", "loss"): 1.05 if done else 1.4,
        ("alignment_slack", "", "loss_square"): 0.6 if done else 0.8,
        ("alignment_slack", "", "excess"): 0.3,
        ("alignment_slack", "", "excess_unturned"): 5.0,
        ("alignment_slack", "", "r2_exact"): told,
        ("linear_r2", "code", "level_0"): told if done else 0.5,
        ("linear_r2", "code", "level_1"): 0.97 if done else 0.6,
    }


@pytest.fixture
def read(judged):
    """Verdict if every cell is as found, changed."""

    def verdict(number, change=lambda _: {}):
        return judged(PREDICTIONS, number, lambda _, f: found(f) | change(f))

    return verdict


@pytest.mark.parametrize("number", sorted({*PREDICTIONS} - {*RANKED}))
def test_the_optimum_supports_every_claim(number, read):
    assert read(number) == "supported"


def test_one_checkpoint_beyond_a_bound_refutes(read):
    def early(f, target, value):
        at = ("alignment_slack", "", target)
        return {at: value} if (f["stop"], f["alpha"]) == (0.1, 16.0) else {}

    assert read("LJ1", lambda f: early(f, "loss", 0.9)) == "refuted"
    assert read("LJ2", lambda f: early(f, "excess", 1.2)) == "refuted"


def test_causes_of_any_shape_that_are_told_refute(read):
    flat = {("linear_r2", "code", "level_0"): 0.97}
    assert read("LJ3", lambda _: flat) == "refuted"
    assert read("LJ3-exact", lambda _: flat) == "refuted"


def test_tails_that_are_not_undone_refute(read):
    at = ("linear_r2", "code", "level_1")
    assert read("LJ-D1", lambda f: {at: 0.8} if f["alpha"] == 0.5 else {}) == "refuted"


def ranked(loss, told):
    """Rows of the grid of rates; untrained, only the weight tells in the loss."""

    def read(_, f):
        done = f["stop"] == 1.0
        return {
            ("held_out_loss", "", "mean"): loss(f) if done else f["lamb"],
            ("linear_r2", "code", "level_0"): told(f) if done else 0.3,
        }

    return read


@pytest.mark.parametrize("number", RANKED)
def test_a_loss_that_ranks_trainings_supports_and_one_that_does_not_refutes(
    number, judged
):
    def quality(f):
        return 0.1 * f["lr"] ** 0.5 + f["lamb"]

    def right(f):
        return 1 - quality(f)

    assert judged(PREDICTIONS, number, ranked(quality, right)) == "supported"
    assert judged(PREDICTIONS, number, ranked(quality, quality)) == "refuted"
