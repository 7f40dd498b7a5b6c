from dataclasses import replace

import pytest

from mae_bench.experiments.linear_theory import LINEAR_THEORY
from mae_bench.oracles.linear_mae import shrunk_covariance
from mae_bench.records.schema import TIERS
from mae_bench.records.store import Store
from mae_bench.runs.known import Known
from mae_bench.runs.measure import Run
from mae_bench.runs.plan import pending, plan
from mae_bench.training.train import build


def cells(tier="quick"):
    return list(LINEAR_THEORY.cells(TIERS[tier], range(1)))


def test_each_world_is_solved_at_every_ratio_with_and_without_a_bottleneck():
    grid = cells()
    worlds = {(c.dataset, f["spectrum"]) for c, f in grid}
    assert worlds == {
        ("gaussian_field", "exponential"),
        ("gaussian_field", "whitened"),
        ("gaussian_tree", None),
    }
    for world in worlds:
        here = [f for c, f in grid if (c.dataset, f["spectrum"]) == world]
        assert len(here) == 5 * (1 if world[1] == "whitened" else 2)


def test_the_whitened_field_is_white_in_the_patches_that_the_method_masks():
    for cell, factors in cells("smoke"):
        if factors["spectrum"] != "whitened":
            continue
        world, method = build(cell, "cpu")
        C, p = world.covariance(), cell.method_settings["patch_size"]
        V = shrunk_covariance(C, method.mask_ratio, p)
        assert (C @ V - V @ C).abs().max() < 1e-9  # the null: C and V commute


def test_a_cell_of_tier_quick_comes_within_a_percent_of_the_closed_form(tmp_path):
    store = Store(tmp_path / "store")
    one = replace(
        LINEAR_THEORY,
        datasets=LINEAR_THEORY.datasets[:1],
        factors={"mask_ratio": (0.75,), "rank": (8,)},
    )
    wanted = plan({"one": one}, tier="quick", seeds=range(1), store=store)
    due = pending(wanted, store, Known(), "missing")
    run = Run(wanted, store, tmp_path)
    run.measure(due, [])
    rows = run.tables()["one"]
    value = rows.set_index("target")["value"]
    assert 0 <= value["loss"] < 0.01
    assert value["angle"] < 0.1
    assert value["radius"] == pytest.approx(value["radius_closed_form"], rel=0.02)
