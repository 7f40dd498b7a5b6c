"""What is not measured is named, with the reason."""

from mae_bench.theories.cumulative_masked_score import CUMULATIVE_MASKED_SCORE


def test_its_claims_are_named_and_none_is_measured() -> None:
    assert not CUMULATIVE_MASKED_SCORE.predictions
    assert list(CUMULATIVE_MASKED_SCORE.unmeasured) == ["G1", "G2"]
    assert "identity" in CUMULATIVE_MASKED_SCORE.unmeasured["G1"]
