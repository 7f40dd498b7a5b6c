"""What an experiment shares with the leaderboard."""

from collections.abc import Callable

import pytest

from mae_bench.experiments import Experiment
from mae_bench.experiments.leaderboard import LEADERBOARD
from mae_bench.records.schema import TIERS, Setting


@pytest.fixture
def shared() -> Callable[[Experiment, str], set[Setting]]:
    """The levels of a factor at which an experiment's cells are the leaderboard's."""

    def levels(experiment: Experiment, factor: str) -> set[Setting]:
        board = {cell.key for cell, _ in LEADERBOARD.cells(TIERS["smoke"], range(1))}
        ours = experiment.cells(TIERS["smoke"], range(1))
        return {factors[factor] for cell, factors in ours if cell.key in board}

    return levels
