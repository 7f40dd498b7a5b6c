from mae_bench.experiments.recoverability import RECOVERABILITY
from mae_bench.methods.mae import MAE
from mae_bench.models.masking import patches_a_unit, visible_units
from mae_bench.records.schema import TIERS


def points(tier="quick"):
    return [
        (cell, factors)
        for cell, factors in RECOVERABILITY.cells(TIERS[tier], range(1))
        if cell.method == "mae"
    ]


def test_every_mask_of_the_grid_can_be_drawn_and_no_two_are_the_same():
    for world in ("gaussian_tree", "random_hierarchy"):
        visible = []
        for cell, factors in points():
            if cell.dataset != world:
                continue
            settings = cell.method_settings
            unit = settings["mask_unit"] or settings["patch_size"]
            side = 4 // patches_a_unit(unit, settings["patch_size"])
            visible.append((unit, visible_units(side**2, factors["mask_ratio"])))
        assert len(set(visible)) == len(visible) == 7


def test_what_is_masked_and_how_reaches_the_method():
    for cell, factors in points():
        assert cell.method_settings["mask_ratio"] == factors["mask_ratio"]
        assert cell.method_settings["mask_unit"] == factors["mask_unit"]


def test_quick_trains_longer_than_its_tier_and_no_other_tier_does():
    for cell, factors in points():
        times = 8 if factors["mask_ratio"] == 0.9375 else 1
        assert cell.method_settings["steps"] == 1500 * times
    for tier in ("smoke", "full"):
        steps = {cell.method_settings["steps"] for cell, _ in points(tier)}
        assert steps == {TIERS[tier].steps}


def test_the_untrained_encoder_stands_once_in_each_world():
    cells = list(RECOVERABILITY.cells(TIERS["quick"], range(1)))
    floor = [cell.dataset for cell, _ in cells if cell.method == "random_init"]
    assert sorted(floor) == ["gaussian_tree", "random_hierarchy"]


def test_probes_see_both_views_and_what_chooses_its_own_masks_is_read_once():
    assert ("linear_r2", "masked") in RECOVERABILITY.wanted
    assert ("ceiling_ratio", "masked") in RECOVERABILITY.wanted
    assert ("ceiling", "masked") not in RECOVERABILITY.wanted
    assert ("reconstruction_error", "masked") not in RECOVERABILITY.wanted
    assert MAE in RECOVERABILITY.methods
