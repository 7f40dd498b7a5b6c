"""What is not measured is named, with the reason."""

from mae_bench.theories.information_bottleneck import INFORMATION_BOTTLENECK


def test_its_claims_are_named_and_none_is_measured() -> None:
    assert not INFORMATION_BOTTLENECK.predictions
    assert list(INFORMATION_BOTTLENECK.unmeasured) == ["I1", "I2"]
    assert "without its loss" in INFORMATION_BOTTLENECK.unmeasured["I2"]
