"""What is not measured is named, with the reason."""

from mae_bench.theories.parameter_identifiability import PARAMETER_IDENTIFIABILITY


def test_its_claims_are_named_and_none_is_measured() -> None:
    assert not PARAMETER_IDENTIFIABILITY.predictions
    assert list(PARAMETER_IDENTIFIABILITY.unmeasured) == ["PI1", "PI2", "PI3"]
    assert "Markov chain" in PARAMETER_IDENTIFIABILITY.unmeasured["PI1"]
