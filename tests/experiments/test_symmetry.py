import pytest

from mae_bench.experiments.mask_ratio import MASK_RATIO
from mae_bench.experiments.symmetry import SYMMETRY
from mae_bench.models.masking import visible_units
from mae_bench.records.schema import TIERS


def test_every_ratio_has_its_complement_and_both_hide_what_the_other_shows() -> None:
    ratios = SYMMETRY.factors["mask_ratio"]
    for one, other in zip(ratios, reversed(ratios), strict=True):
        assert one + other == pytest.approx(1)
        assert visible_units(16, one) + visible_units(16, other) == 16


def test_it_shares_all_ratios_but_the_highest_with_mask_ratio() -> None:
    known = {cell.key for cell, _ in MASK_RATIO.cells(TIERS["smoke"], range(1))}
    shared = {
        f["mask_ratio"]
        for c, f in SYMMETRY.cells(TIERS["smoke"], range(1))
        if c.key in known
    }
    assert shared == {0.125, 0.25, 0.75}
