"""What is not measured is named, with the reason."""

from mae_bench.theories.multi_view_features import MULTI_VIEW_FEATURES


def test_its_claims_are_named_and_none_is_measured() -> None:
    assert not MULTI_VIEW_FEATURES.predictions
    assert list(MULTI_VIEW_FEATURES.unmeasured) == ["P1", "P2", "P3"]
    assert "fine-tuning" in MULTI_VIEW_FEATURES.unmeasured["P3"]
