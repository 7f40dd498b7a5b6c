import csv
from dataclasses import replace

import pytest

from mae_bench.records import registry
from mae_bench.records.folders import PUBLISHED
from mae_bench.records.schema import TIERS, Cell, canonical, digest
from mae_bench.runs.plan import rounded

CELL = Cell("digits", "mae", "quick", 0, {"a": 1}, {"lr": 0.1}, {"method": 1})


def test_equal_cells_have_equal_keys_whatever_the_order_of_settings() -> None:
    one = replace(CELL, method_settings={"lr": 0.1, "depth": 2})
    two = replace(CELL, method_settings={"depth": 2, "lr": 0.1})
    assert one.key == two.key
    assert len(one.key) == 16


@pytest.mark.parametrize(
    "change",
    [
        {"dataset": "identity"},
        {"method": "u_mae"},
        {"tier": "smoke"},
        {"seed": 1},
        {"dataset_settings": {"a": 2}},
        {"method_settings": {"lr": 0.2}},
        {"versions": {"method": 2}},
    ],
)
def test_whatever_changes_the_training_changes_the_key(change: dict) -> None:
    assert replace(CELL, **change).key != CELL.key


def test_a_setting_that_came_later_renames_no_cell_at_its_default() -> None:
    unlimited = replace(CELL, dataset_settings={"a": 1, "train_images": 0})
    assert unlimited.key == CELL.key
    limited = replace(CELL, dataset_settings={"a": 1, "train_images": 100})
    assert limited.key != CELL.key
    # Only of a world: a method may call something else so.
    other = replace(CELL, method_settings={"lr": 0.1, "train_images": 0})
    assert other.key != CELL.key


def test_parts_of_a_step_are_named_where_there_are_several() -> None:
    whole = replace(CELL, method_settings={"lr": 0.1, "accumulate": 1})
    assert whole.key == CELL.key
    parted = replace(CELL, method_settings={"lr": 0.1, "accumulate": 2})
    assert parted.key != CELL.key


@pytest.mark.parametrize("name", ["lejepa_shapes", "learning_rates"])
def test_cells_that_are_published_keep_their_names(name: str) -> None:
    experiment = registry.load("experiments", name)
    with (PUBLISHED / "measurements" / f"{name}.csv").open(newline="") as file:
        rows = [*csv.DictReader(file)]
    theirs = {row["cell"] for row in rows}
    seeds = range(max(int(row["seed"]) for row in rows) + 1)
    cells = rounded(experiment.cells(TIERS["quick"], seeds), 2)
    ours = {cell.key for cell, _ in cells}
    assert theirs
    assert theirs <= ours


def test_worlds_and_probes_are_the_same_however_many_images_are_trained_on() -> None:
    limited = replace(CELL, dataset_settings={"a": 1, "train_images": 100})
    for purpose in ("world", "data", "init", "noise", "eval"):
        assert limited.stream(purpose) == CELL.stream(purpose)


def test_methods_share_every_stream_so_that_they_are_paired() -> None:
    other = replace(CELL, method="simclr", method_settings={}, tier="smoke")
    for purpose in ("world", "data", "init", "noise", "eval"):
        assert other.stream(purpose) == CELL.stream(purpose)


def test_streams_differ_by_purpose_and_seed_and_worlds_by_their_settings() -> None:
    purposes = ("world", "data", "init", "noise", "eval")
    assert len({CELL.stream(p) for p in purposes}) == 5
    again = replace(CELL, seed=1)
    assert all(again.stream(p) != CELL.stream(p) for p in purposes)
    larger = replace(CELL, dataset_settings={"a": 2})
    assert larger.stream("world") != CELL.stream("world")
    assert larger.stream("init") == CELL.stream("init")
    assert all(0 <= CELL.stream(p) < 2**63 for p in purposes)


def test_canonical_text_does_not_depend_on_order() -> None:
    assert canonical({"b": 1, "a": [1.5, None]}) == '{"a":[1.5,null],"b":1}'
    assert digest("a", 1) != digest("a1")


def test_tiers_give_a_method_its_budget_and_sizes() -> None:
    budget = TIERS["quick"].budget()
    assert {"steps", "batch_size", "embed_dim", "depth"} <= set(budget)
    assert TIERS["smoke"].steps < TIERS["quick"].steps < TIERS["full"].steps
