"""The claims of patch sizes are of the theory, and stand on one experiment."""

from mae_bench.experiments.linear_patch_size import LINEAR_PATCH_SIZE
from mae_bench.theories.claims.patch_size import PATCH_SIZE
from mae_bench.theories.spatial_correlations import SPATIAL_CORRELATIONS


def test_they_are_among_the_theorys_and_their_controls_are_other_lengths():
    # What the closed form makes of each is tested with the theory.
    assert PATCH_SIZE.items() <= SPATIAL_CORRELATIONS.predictions.items()
    for prediction in PATCH_SIZE.values():
        assert prediction.experiment is LINEAR_PATCH_SIZE
        other = prediction.control.where.get("length")
        assert other is None or prediction.where.get("length") != other
