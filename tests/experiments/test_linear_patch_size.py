import pytest

from mae_bench.datasets.gaussian_field import exponential
from mae_bench.experiments.linear_patch_size import LINEAR_PATCH_SIZE
from mae_bench.oracles.linear_mae import out_of_patch_share, radius, solve_all_pixels
from mae_bench.records.schema import TIERS


def reach(length: float, patch_size: int) -> tuple[float, float]:
    """Radius and share out of the patch of the optimum."""
    settings = LINEAR_PATCH_SIZE.settings
    C = exponential(int(settings["image_size"] or 0), length)
    best = solve_all_pixels(C, float(settings["mask_ratio"] or 0), patch_size)
    W = best.encoder @ best.decoder
    return radius(W), out_of_patch_share(W, patch_size)


def test_the_closed_form_reaches_farthest_where_the_patch_is_as_long_as_the_field() -> (
    None
):
    sizes = LINEAR_PATCH_SIZE.factors["patch_size"]
    long, short = ([reach(x, int(p or 0)) for p in sizes] for x in (4.0, 1.0))
    radii = [r for r, _ in long]
    assert radii == pytest.approx([1.91, 2.93, 3.39, 3.14], abs=0.005)
    assert [r for r, _ in short] == pytest.approx([0.98, 1.06, 0.85, 0.43], abs=0.005)
    shares = [share for _, share in long]
    assert shares == sorted(shares, reverse=True)


def test_it_descends_the_expected_loss_without_a_bottleneck() -> None:
    for cell, factors in LINEAR_PATCH_SIZE.cells(TIERS["quick"], range(1)):
        assert cell.method_settings["expected"]
        assert cell.method_settings["rank"] == cell.dataset_settings["image_size"] ** 2
        assert cell.method_settings["patch_size"] == factors["patch_size"]
