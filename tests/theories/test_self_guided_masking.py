"""Clusters that come early support the claim, and those that come late refute it."""

from mae_bench.theories.self_guided_masking import SELF_GUIDED_MASKING

PREDICTIONS = SELF_GUIDED_MASKING.predictions


def clustered(early, end, untrained=0.2):
    def found(_, factors):
        tokens = {0.0: untrained, 1.0: end}.get(factors["stop"], early)
        return {"tokens": tokens, "pixels": 0.25}

    return found


def test_early_clusters_support_and_late_ones_refute(judged):
    assert judged(PREDICTIONS, "SG1", clustered(0.49, 0.5)) == "supported"
    assert judged(PREDICTIONS, "SG1", clustered(0.3, 0.5)) == "refuted"
    # Clusters that are lost again were not as they are at the end.
    assert judged(PREDICTIONS, "SG1", clustered(0.6, 0.5)) == "refuted"
    assert judged(PREDICTIONS, "SG1", clustered(0.5, 0.5, untrained=0.5)) == "void"


def test_tokens_must_beat_pixels_and_untrained_ones_must_not(judged):
    number = "SG1-tokens"
    assert judged(PREDICTIONS, number, clustered(0.5, 0.5)) == "supported"
    assert judged(PREDICTIONS, number, clustered(0.2, 0.26)) == "refuted"
    assert judged(PREDICTIONS, number, clustered(0.5, 0.5, untrained=0.55)) == "void"
