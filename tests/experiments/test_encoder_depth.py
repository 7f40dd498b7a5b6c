from mae_bench.experiments.encoder_depth import ENCODER_DEPTH
from mae_bench.experiments.leaderboard import LEADERBOARD
from mae_bench.records.schema import TIERS


def test_it_goes_below_and_above_the_leaderboards_depth() -> None:
    board = {cell.key for cell, _ in LEADERBOARD.cells(TIERS["smoke"], 1)}
    shared = {
        factors["depth"]
        for cell, factors in ENCODER_DEPTH.cells(TIERS["smoke"], 1)
        if cell.key in board
    }
    depths = ENCODER_DEPTH.factors["depth"]
    (ours,) = shared
    assert min(depths) < ours < max(depths)
