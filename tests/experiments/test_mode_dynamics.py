from mae_bench.experiments.mode_dynamics import MODE_DYNAMICS
from mae_bench.oracles.deep_linear import half_time
from mae_bench.records import registry
from mae_bench.records.schema import TIERS
from mae_bench.training.train import build


def cells(tier="quick"):
    return list(MODE_DYNAMICS.cells(TIERS[tier], range(1)))


def test_both_objectives_share_a_start_and_pixels_have_a_smaller_one():
    found = {(f["objective"], f["depth"], f["init_scale"]) for _, f in cells()}
    depths = (1, 2, 3)
    assert found == {
        *(("mae", depth, scale) for depth in depths for scale in (0.02, 1e-4)),
        *(("jepa", depth, 0.02) for depth in depths),
    }


def test_the_slowest_mode_has_a_third_of_the_run_to_settle():
    world, _ = build(cells("smoke")[0][0], "cpu")
    for cell, factors in cells():
        settings = cell.method_settings
        slowest = max(
            half_time(lamb, rho, **factors)
            for lamb, rho in zip(world.lamb.tolist(), world.rho.tolist(), strict=True)
        )
        assert slowest < 2 / 3 * settings["steps"] * settings["lr"]


def test_the_step_is_below_the_edge_of_stability():
    world, _ = build(cells("smoke")[0][0], "cpu")
    for cell, factors in cells():
        # At the plateau of MAE each of L + 1 weights adds σ² w̄² of its mode.
        L = factors["depth"]
        curvature = (L + 1) * world.lamb / world.rho * world.rho ** (2 * L / (L + 1))
        assert cell.method_settings["lr"] * curvature.max() < 1.5


def test_a_cell_has_the_experiments_rate_in_every_tier():
    for tier in TIERS:
        assert {c.method_settings["lr"] for c, _ in cells(tier)} == {0.3}
    assert {c.method for c, _ in cells()} == {"deep_linear"}
    assert registry.load("methods", "deep_linear") in MODE_DYNAMICS.methods
