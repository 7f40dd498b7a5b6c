from mae_bench.experiments.mask_ratio import MASK_RATIO
from mae_bench.models.masking import visible_units
from mae_bench.records.schema import TIERS
from mae_bench.theories.hierarchical_latents import HIERARCHICAL_LATENTS
from mae_bench.theories.visible_share import VISIBLE_SHARE


def test_the_ratios_are_inside_0_and_1_with_both_extremes_and_the_papers_own() -> None:
    ratios = MASK_RATIO.factors["mask_ratio"]
    assert list(ratios) == sorted(ratios)
    assert all(0 < ratio < 1 for ratio in ratios)
    assert visible_units(16, min(ratios)) == 14
    assert visible_units(16, max(ratios)) == 1
    assert 0.75 in ratios


def test_every_method_of_it_has_a_mask_ratio() -> None:
    for cell, factors in MASK_RATIO.cells(TIERS["smoke"], range(1)):
        assert cell.method_settings["mask_ratio"] == factors["mask_ratio"]


def test_a_ratio_is_the_share_of_patches_that_is_hidden_exactly() -> None:
    for ratio in MASK_RATIO.factors["mask_ratio"]:
        assert 16 - visible_units(16, ratio) == 16 * ratio


def test_quick_trains_longer_at_both_ends_and_in_the_theorys_own_worlds() -> None:
    for name, tier in TIERS.items():
        for cell, factors in MASK_RATIO.cells(tier, range(1)):
            times = {0.125: 4, 0.9375: 12}.get(factors["mask_ratio"], 1)
            if cell.dataset in ("invertible_tree", "random_hierarchy"):
                times = max(times, 2)
            expected = tier.steps * (times if name == "quick" else 1)
            assert cell.method_settings["steps"] == expected


def test_it_shares_the_leaderboards_cells_at_the_default_ratio(shared) -> None:
    assert shared(MASK_RATIO, "mask_ratio") == {0.75}


def test_the_theories_that_look_here_expect_different_pictures() -> None:
    for theory in (HIERARCHICAL_LATENTS, VISIBLE_SHARE):
        here = [p for p in theory.predictions.values() if p.experiment is MASK_RATIO]
        assert here
    pictures = MASK_RATIO.expected
    assert pictures["hierarchical_latents"] != pictures["visible_share"]
