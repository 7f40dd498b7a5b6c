"""What is not measured is named, with the reason."""

from mae_bench.theories.masked_self_regression import MASKED_SELF_REGRESSION


def test_its_claims_are_named_and_none_is_measured() -> None:
    assert not MASKED_SELF_REGRESSION.predictions
    assert list(MASKED_SELF_REGRESSION.unmeasured) == ["X1", "X2"]
    assert "matrix of all coordinates" in MASKED_SELF_REGRESSION.unmeasured["X1"]
