from mae_bench.experiments.encoder_depth import ENCODER_DEPTH


def test_it_goes_below_and_above_the_leaderboards_depth(shared) -> None:
    depths = ENCODER_DEPTH.factors["depth"]
    (ours,) = shared(ENCODER_DEPTH, "depth")
    assert min(depths) < ours < max(depths)
