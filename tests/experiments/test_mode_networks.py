from mae_bench.experiments.mode_networks import MODE_NETWORKS, ONE_VISIBLE
from mae_bench.models.masking import visible_units
from mae_bench.records.schema import TIERS


def test_every_world_has_64_patches_and_all_schedules():
    found = {}
    for cell, at in MODE_NETWORKS.cells(TIERS["quick"], range(1)):
        size = 16 if cell.dataset == "skewed_hierarchy" else 8
        assert (size / cell.method_settings["patch_size"]) ** 2 == 64
        found.setdefault(cell.dataset, set()).add((cell.method, at["mask_ratio"]))
    schedules = {("mae", 0.75), ("mae", ONE_VISIBLE)}
    schedules |= {("r2_mae", 0.75), ("full_mask_mae", 0.75)}
    assert len(found) == 3
    assert all(points == schedules for points in found.values())


def test_the_visible_patches_are_16_one_and_any_number_between_1_and_63():
    assert visible_units(64, 0.75) == 16
    assert visible_units(64, ONE_VISIBLE) == 1
    assert visible_units(64, 1 - ONE_VISIBLE) == 63
