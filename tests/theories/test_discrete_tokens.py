"""What is not measured is named, with the reason."""

from mae_bench.theories.discrete_tokens import DISCRETE_TOKENS


def test_its_claims_are_named_and_none_is_measured() -> None:
    assert not DISCRETE_TOKENS.predictions
    assert list(DISCRETE_TOKENS.unmeasured) == ["T1", "T2"]
    assert "class labels" in DISCRETE_TOKENS.unmeasured["T2"]
