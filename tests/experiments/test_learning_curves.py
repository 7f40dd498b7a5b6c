from collections import defaultdict
from pathlib import Path

from mae_bench.experiments.leaderboard import LEADERBOARD
from mae_bench.experiments.learning_curves import LEARNING_CURVES
from mae_bench.experiments.learning_rates import LEARNING_RATES
from mae_bench.records.schema import TIERS
from mae_bench.records.store import Store
from mae_bench.runs.known import Known
from mae_bench.runs.plan import pending, plan

QUICK = TIERS["quick"]


def test_all_that_trains_on_the_leaderboard_has_four_points_of_one_run() -> None:
    ways = defaultdict(list)
    for cell, factors in LEARNING_CURVES.cells(QUICK, range(1)):
        settings = {k: v for k, v in cell.method_settings.items() if k != "stop"}
        ways[cell.dataset, cell.method, str(settings)].append(factors["stop"])
    assert LEARNING_CURVES.methods == LEARNING_RATES.methods
    assert len(ways) == len(LEARNING_CURVES.methods) * len(LEARNING_CURVES.datasets)
    assert {tuple(stops) for stops in ways.values()} == {(0.125, 0.25, 0.5, 1.0)}


def test_its_ends_are_the_leaderboards_cells_and_the_rest_lies_on_the_way(
    tmp_path: Path,
) -> None:
    board = {
        cell.key
        for cell, _ in LEADERBOARD.cells(
            QUICK, range(1), worlds=LEARNING_CURVES.datasets
        )
    }
    cells = list(LEARNING_CURVES.cells(QUICK, range(1)))
    assert {cell.key for cell, at in cells if at["stop"] == 1.0} <= board
    store = Store(tmp_path)
    found = plan(
        {"learning_curves": LEARNING_CURVES},
        tier="quick",
        seeds=range(1),
        store=store,
    )
    due = pending(found, store, Known(), "missing")
    assert len(due) == len(cells)
    passes = [method for method in LEARNING_CURVES.methods if method.passes]
    wanted = 3 * len(passes) * len(LEARNING_CURVES.datasets)
    assert sum(len(task.passing) for task in due) == wanted
