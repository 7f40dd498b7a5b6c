from mae_bench.experiments.decoder_depth import DECODER_DEPTH
from mae_bench.experiments.leaderboard import LEADERBOARD
from mae_bench.records.schema import TIERS


def test_it_has_a_linear_decoder_the_leaderboards_and_deeper_ones() -> None:
    depths = DECODER_DEPTH.factors["decoder_depth"]
    assert list(depths) == sorted(depths)
    assert depths[0] == 0
    board = {cell.key for cell, _ in LEADERBOARD.cells(TIERS["smoke"], 1)}
    shared = {
        factors["decoder_depth"]
        for cell, factors in DECODER_DEPTH.cells(TIERS["smoke"], 1)
        if cell.key in board
    }
    assert shared == {1}
