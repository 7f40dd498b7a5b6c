from mae_bench.experiments.decoder_depth import DECODER_DEPTH


def test_it_has_a_linear_decoder_the_leaderboards_and_deeper_ones(shared) -> None:
    depths = DECODER_DEPTH.factors["decoder_depth"]
    assert list(depths) == sorted(depths)
    assert depths[0] == 0
    assert shared(DECODER_DEPTH, "decoder_depth") == {1}
