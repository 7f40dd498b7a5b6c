from dataclasses import replace

import pytest

from mae_bench.experiments import Experiment
from mae_bench.experiments.leaderboard import BY_WORLD, LEADERBOARD
from mae_bench.experiments.learning_rates import LEARNING_RATES
from mae_bench.records.schema import TIERS

QUICK = TIERS["quick"]


def test_no_label_latent_or_probe_is_looked_at() -> None:
    reads = {metric.id: metric.reads for metric in LEARNING_RATES.metrics}
    assert reads == {
        "held_out_loss": "loss",
        "effective_rank": "features",
        "convergence": "curve",
        "training_flops": "step",
    }


def test_all_that_trains_on_the_leaderboard_is_tried_at_the_same_rates() -> None:
    tried: dict[tuple[str, str], list] = {}
    for cell, factors in LEARNING_RATES.cells(QUICK, range(1)):
        tried.setdefault((cell.dataset, cell.method), []).append(factors["lr"])
    methods = {m.__name__ for m in LEADERBOARD.methods if m.trains}
    assert {m.__name__ for m in LEARNING_RATES.methods} == methods
    assert len(tried) == len(methods) * len(LEARNING_RATES.datasets)
    assert {tuple(rates) for rates in tried.values()} == {LEARNING_RATES.factors["lr"]}
    assert QUICK.budget()["lr"] in LEARNING_RATES.factors["lr"]


@pytest.fixture
def wider() -> Experiment:
    """The leaderboard on the worlds of the trials, its rates not chosen yet."""
    return replace(LEADERBOARD, datasets=LEARNING_RATES.datasets, chosen=None)


def test_a_trial_at_the_boards_rate_is_the_boards_own_cell(wider: Experiment) -> None:
    trials = {cell.key for cell, _ in LEARNING_RATES.cells(QUICK, range(1))}
    cells = [cell for cell, _ in wider.cells(QUICK, range(1))]
    trained = {m.__name__.lower() for m in LEADERBOARD.methods if m.trains}
    board = [c for c in cells if c.method.replace("_", "") in trained]
    assert len(board) == len(trials) / len(LEARNING_RATES.factors["lr"])
    assert {cell.key for cell in board} <= trials
    assert {cell.dataset for cell in board} <= set(BY_WORLD)
