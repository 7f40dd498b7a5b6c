from pathlib import Path

import pytest

from mae_bench.records import registry
from mae_bench.records.schema import UsageError
from mae_bench.records.store import Store, Trained
from mae_bench.runs.costs import Costs
from mae_bench.runs.known import WHOLE, Known, is_trained
from mae_bench.runs.plan import pending, plan
from mae_bench.runs.score import name_of

SMOKE = {"tier": "smoke", "seeds": range(1)}


def experiments(*names: str) -> dict[str, object]:
    return {name: registry.load("experiments", name) for name in names}


def test_cells_that_two_experiments_need_are_one_task(tmp_path: Path) -> None:
    store = Store(tmp_path)
    both = plan(experiments("leaderboard", "mask_ratio"), **SMOKE, store=store)
    cells = {name: {c.key for c, _ in rows} for name, rows in both.rows.items()}
    shared = cells["leaderboard"] & cells["mask_ratio"]
    # mae on either tree at the default ratio
    assert len(shared) == 2
    assert set(both.tasks) == cells["leaderboard"] | cells["mask_ratio"]
    wanted = {pair for name in both.wanted for pair in both.wanted[name]}
    assert all(set(both.tasks[key].wanted) == wanted for key in shared)


def test_filters_choose_what_is_run(tmp_path: Path) -> None:
    found = plan(
        experiments("leaderboard"), **SMOKE, store=Store(tmp_path), methods=["mae"]
    )
    assert {task.cell.method for task in found.tasks.values()} == {"mae"}
    assert {cell.method for cell, _ in found.rows["leaderboard"]} == {"mae"}


def test_seeds_choose_what_is_run_and_the_tier_has_its_own(tmp_path: Path) -> None:
    def seeds(chosen: range | None) -> set[int]:
        wish = {"tier": "smoke", "seeds": chosen, "store": Store(tmp_path)}
        found = plan(experiments("uniformity"), **wish)
        return {task.cell.seed for task in found.tasks.values()}

    assert seeds(range(5, 8)) == {5, 6, 7}
    assert seeds(None) == {0, 1}


def test_what_trains_is_run_once_a_rounding(tmp_path: Path) -> None:
    found = plan(
        experiments("leaderboard"),
        **SMOKE,
        store=Store(tmp_path),
        methods=["mae", "pixels"],
        datasets=["digits"],
        roundings=2,
    )
    cells = [(t.cell.method, t.cell.rounding) for t in found.tasks.values()]
    assert sorted(cells) == [("mae", 0), ("mae", 1), ("pixels", 0)]


def test_a_training_goes_before_those_that_lie_on_its_way(tmp_path: Path) -> None:
    store = Store(tmp_path)
    found = plan(experiments("training_time"), **SMOKE, store=store, methods=["mae"])
    due = pending(found, store, Known(), "missing")
    stops = [task.cell.method_settings["stop"] for task in due]
    passing = [[c.method_settings["stop"] for c in task.passing] for task in due]
    longest = [task for task in due if task.passing]
    assert {task.cell.method_settings["stop"] for task in longest} == {1.0}
    assert [bool(task.after) for task in due] == sorted(bool(t.after) for t in due)
    by_key = {task.cell.key: task for task in due}
    assert {by_key[t.after].cell.method_settings["stop"] for t in due if t.after} == {
        1.0
    }
    assert sorted(passing[stops.index(1.0)]) == sorted({*stops} - {0.0, 1.0})
    passed = longest[0].passing
    # What is there already needs not be passed.
    store.save_trained(passed[0].key, Trained("ok"))
    again = pending(found, store, Known(), "missing")
    keys = {cell.key for task in again for cell in task.passing}
    assert passed[0].key not in keys
    assert passed[1].key in keys


def test_filters_that_leave_nothing_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="none of mask_ratio runs simclr on any"):
        plan(
            experiments("mask_ratio"),
            **SMOKE,
            store=Store(tmp_path),
            methods=["simclr"],
        )


def test_seed_by_seed_the_long_cells_go_first_and_the_controls_last(
    tmp_path: Path,
) -> None:
    store, chosen = Store(tmp_path), experiments("leaderboard")
    whole = plan(chosen, tier="smoke", seeds=range(2), store=store)
    point = "gaussian_tree", "u_mae", "smoke", ""
    due = pending(whole, store, Known(), "missing", Costs({("", *point): 50.0}))
    assert [t.cell.seed for t in due] == sorted(t.cell.seed for t in due)
    for seed in range(2):
        mine = [task.cell for task in due if task.cell.seed == seed]
        trains = [registry.load("methods", cell.method).trains for cell in mine]
        assert trains == sorted(trains, reverse=True)
        board = chosen["leaderboard"]
        assert len(mine) == len(board.datasets) * len(board.methods)
        assert (mine[0].dataset, mine[0].method) == ("gaussian_tree", "u_mae")


def test_a_failure_is_kept_as_data_until_it_is_asked_for_again(tmp_path: Path) -> None:
    store = Store(tmp_path)
    whole = plan(experiments("uniformity"), **SMOKE, store=store)
    first = sorted(whole.tasks)[0]
    store.save_trained(first, Trained("diverged", "nan"))
    due = {
        rerun: pending(whole, store, Known(), rerun) for rerun in ("never", "missing")
    }
    assert due["never"] == []
    assert first not in {task.cell.key for task in due["missing"]}
    assert first in {t.cell.key for t in pending(whole, store, Known(), "failed")}


@pytest.mark.parametrize(
    ("status", "reason", "again"),
    [
        ("timeout", "ran over 180 s", True),
        ("timeout", "stood still for 60 s", True),
        ("error", "its process was killed by signal 9", True),
        ("error", "StoreError: cannot write x: No space left on device (f:1)", True),
        ("error", "OSError: [Errno 28] No space left on device (f:1)", True),
        ("error", "its process exited with 3", False),
        ("error", "ValueError: no such axis (f:1)", False),
        ("diverged", "the loss was nan by step 3", False),
        ("out_of_memory", "too much", False),
    ],
)
@pytest.mark.parametrize("where", ["store", "rows"])
def test_what_failed_for_a_reason_that_has_passed_is_tried_by_the_next_run(
    where: str, status: str, reason: str, *, again: bool, tmp_path: Path
) -> None:
    store = Store(tmp_path)
    whole = plan(experiments("uniformity"), **SMOKE, store=store)
    first = sorted(whole.tasks)[0]
    found = Known()
    if where == "store":
        store.save_trained(first, Trained(status, reason))
    else:
        row = {"status": status, "reason": reason}
        found = Known({"uniformity": {first: {WHOLE: [row]}}})
    assert is_trained(store, first) is (where == "store" and not again)
    due = {task.cell.key: task for task in pending(whole, store, found, "missing")}
    assert (first in due) is again
    if again:
        assert due[first].wanted == whole.tasks[first].wanted
    assert not pending(whole, store, found, "never")


def test_a_metric_that_was_killed_is_measured_by_the_next_run_on_the_same_training(
    tmp_path: Path,
) -> None:
    store = Store(tmp_path)
    whole = plan(experiments("uniformity"), **SMOKE, store=store)
    first = sorted(whole.tasks)[0]
    task = whole.tasks[first]
    killed = {"status": "error", "reason": "its process was killed by signal 9"}
    names = {pair: name_of(task.cell, *pair) for pair in task.wanted}
    store.save_trained(first, Trained("ok", ""), b"weights")
    store.add_scores(first, {name: [{"status": "ok"}] for name in names.values()})
    store.add_scores(first, {names[task.wanted[0]]: [killed]})
    ok = {"status": "ok", "reason": ""}
    rows = {pair: [killed if pair == task.wanted[0] else ok] for pair in task.wanted}
    for found in (Known(), Known({"uniformity": {first: rows}})):
        due = {t.cell.key: t for t in pending(whole, store, found, "missing")}
        assert due[first].wanted == task.wanted[:1]
    assert store.trained(first) is not None


def test_a_metric_that_failed_is_asked_again_without_another_training(
    tmp_path: Path,
) -> None:
    store = Store(tmp_path)
    whole = plan(experiments("uniformity"), **SMOKE, store=store)
    first = sorted(whole.tasks)[0]
    task = whole.tasks[first]
    names = [name_of(task.cell, *pair) for pair in task.wanted]
    ends = ["ok", "skipped", *["ok"] * (len(names) - 2)]
    rows = {
        name: [{"status": s}, {"status": "ok"}]
        for name, s in zip(names, ends, strict=True)
    }
    store.save_trained(first, Trained("ok", ""), b"weights")
    store.add_scores(first, rows | {names[0]: [{"status": "error"}]})
    assert first not in {t.cell.key for t in pending(whole, store, Known(), "missing")}
    assert first in {t.cell.key for t in pending(whole, store, Known(), "failed")}
    assert store.trained(first) is not None
    assert store.scores(first).keys() == set(names[1:])


def test_where_no_experiment_lists_a_world_the_way_out_is_told(tmp_path: Path) -> None:
    line = "none of 2 experiments runs any method on patches; one that --experiment"
    with pytest.raises(UsageError, match=line):
        plan(
            experiments("mask_ratio", "symmetry"),
            **SMOKE,
            store=Store(tmp_path),
            datasets=["patches"],
        )
