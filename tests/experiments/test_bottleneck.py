"""Widths lie on both sides of that of c, whose cells are shared with the masks'."""

from mae_bench.experiments.bottleneck import BOTTLENECK
from mae_bench.experiments.located_masks import LOCATED_MASKS, WIDTH_OF_C
from mae_bench.records.schema import TIERS


def points():
    return {
        (f["mask_family"], f["bottleneck"])
        for cell, f in BOTTLENECK.cells(TIERS["quick"], range(1))
        if cell.method == "mae"
    }


def test_each_mask_has_a_narrower_and_a_right_code_and_left_a_wider_one():
    assert points() == {
        ("left", 1),
        ("left", 2),
        ("left", 8),
        ("centre", 3),
        ("centre", 6),
    }
    for family in ("left", "centre"):
        widths = sorted(d for mask, d in points() if mask == family)
        assert widths[0] < WIDTH_OF_C[family] == widths[1]


def test_the_right_widths_are_trained_once_for_both_experiments():
    keys = [
        {cell.key for cell, _ in experiment.cells(TIERS["quick"], range(5))}
        for experiment in (BOTTLENECK, LOCATED_MASKS)
    ]
    assert len(keys[0] & keys[1]) == 2 * 2 * 5


def test_both_experiments_together_train_45_cells_at_quick():
    trained = {
        cell.key
        for experiment in (BOTTLENECK, LOCATED_MASKS)
        for cell, _ in experiment.cells(TIERS["quick"], range(5))
        if cell.method != "reduced_rank" and cell.method_settings["stop"]
    }
    assert len(trained) == 45
