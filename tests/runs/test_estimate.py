"""What a plan costs: what is there costs nothing, and what is unknown is said so."""

from pathlib import Path

import pandas as pd

from mae_bench.records import registry
from mae_bench.records.store import Store, Trained
from mae_bench.runs.costs import NO_COSTS, Costs
from mae_bench.runs.estimate import COLUMNS, TOTAL, estimate, render
from mae_bench.runs.known import Known
from mae_bench.runs.plan import pending, plan

PRICED = Costs({("", "gaussian_tree", "mae", "smoke", ""): 120.0})


def foretold(folder: Path, cost: Costs, *names: str, **wish: object) -> pd.DataFrame:
    store = Store(folder)
    chosen = registry.load_all("experiments", names)
    wanted = plan(chosen, tier="smoke", seeds=range(2), store=store, **wish)
    due = pending(wanted, store, Known(), "missing")
    return estimate(wanted, due, store, cost).set_index("experiment")


def test_what_is_unknown_is_counted_and_not_reckoned(tmp_path: Path) -> None:
    methods = ["mae", "simclr", "random_init"]
    worlds = ["gaussian_tree", "digits"]
    wish = {"methods": methods, "datasets": worlds}
    found = foretold(tmp_path, PRICED, "leaderboard", **wish)
    expected = {"cells": 12, "measured": 0, "to_run": 12}
    # Of 2 methods that learn, 2 worlds, 2 seeds: mae on one world is known.
    expected |= {"core_minutes": 4.0, "cost_unknown": 6}
    assert found.loc["leaderboard"].to_dict() == expected
    assert found.loc[TOTAL].to_dict() == expected
    nothing = foretold(tmp_path, NO_COSTS, "leaderboard", **wish)
    assert nothing.loc[TOTAL, "cost_unknown"] == 8


def test_a_cell_of_two_experiments_counts_in_both_and_once(tmp_path: Path) -> None:
    wish = {"methods": ["mae"], "datasets": ["gaussian_tree"]}
    found = foretold(tmp_path, PRICED, "leaderboard", "mask_ratio", **wish)
    assert found.loc["leaderboard", "cells"] == 2
    both = found.loc["leaderboard"] + found.loc["mask_ratio"]
    assert found.loc[TOTAL, "cells"] == both["cells"] - 2
    assert found.loc[TOTAL, "core_minutes"] == both["core_minutes"] - 4.0


def test_what_was_trained_is_not_trained_again(tmp_path: Path) -> None:
    wish = {"methods": ["mae"], "datasets": ["gaussian_tree"]}
    chosen = registry.load_all("experiments", ["leaderboard"])
    store = Store(tmp_path)
    first, _ = plan(chosen, tier="smoke", seeds=range(2), store=store, **wish).tasks
    store.save_trained(first, Trained("ok"), b"weights")
    found = foretold(tmp_path, PRICED, "leaderboard", **wish)
    assert found.loc[TOTAL, "to_run"] == 2, "it is still to be measured"
    assert found.loc[TOTAL, "core_minutes"] == 2.0
    store.save_trained(first, Trained("diverged", "nan"))
    found = foretold(tmp_path, PRICED, "leaderboard", **wish)
    assert found.loc[TOTAL, ["measured", "to_run"]].tolist() == [1, 1]


def test_what_lies_on_the_way_of_another_costs_nothing(tmp_path: Path) -> None:
    wish = {"methods": ["mae"], "datasets": ["gaussian_tree"]}
    found = foretold(tmp_path, PRICED, "training_time", **wish)
    assert found.loc[TOTAL, "core_minutes"] == 4.0
    assert found.loc[TOTAL, "cells"] > 2


def test_it_is_read_as_a_table(tmp_path: Path) -> None:
    wish = {"methods": ["mae"]}
    lines = render(foretold(tmp_path, PRICED, "symmetry", **wish).reset_index())
    assert lines.splitlines()[0].split() == [*COLUMNS]
