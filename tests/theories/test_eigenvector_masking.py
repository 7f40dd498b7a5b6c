"""What is not measured is named, with the reason."""

from mae_bench.theories.eigenvector_masking import EIGENVECTOR_MASKING


def test_its_claims_are_named_and_none_is_measured() -> None:
    assert not EIGENVECTOR_MASKING.predictions
    assert list(EIGENVECTOR_MASKING.unmeasured) == ["E1", "E2"]
    assert "principal components" in EIGENVECTOR_MASKING.unmeasured["E1"]
