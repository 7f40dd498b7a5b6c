from mae_bench.experiments.real_images import REAL_IMAGES
from mae_bench.records.schema import TIERS


def test_mae_is_trained_longer_and_all_see_patches_of_four() -> None:
    cells = [cell for cell, _ in REAL_IMAGES.cells(TIERS["quick"], range(5))]
    assert len({cell.key for cell in cells}) == 40
    steps = {c.method: c.method_settings.get("steps") for c in cells}
    assert steps["mae"] == 3 * steps["supervised"] == 3000
    of_vits = [c.method_settings for c in cells if c.method != "pixels"]
    assert {(s["patch_size"], s["embed_dim"]) for s in of_vits} == {(4, 64)}
    assert {cell.dataset for cell in cells} == {"mnist", "patches"}


def test_a_cell_of_tier_smoke_is_small() -> None:
    cells = [cell for cell, _ in REAL_IMAGES.cells(TIERS["smoke"], range(1))]
    assert max(c.method_settings.get("steps", 0) for c in cells) <= 12
