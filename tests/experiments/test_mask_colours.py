from mae_bench.experiments.mask_colours import MASK_COLOURS
from mae_bench.models.coloured_noise import COLOURS
from mae_bench.records.schema import TIERS


def test_every_colour_is_tried_on_eight_patches_a_side_and_white_noise_too():
    cells = list(MASK_COLOURS.cells(TIERS["quick"], range(1)))
    assert {f["mask_family"] for _, f in cells} == {*COLOURS, "random"}
    assert {cell.dataset_settings["tree_depth"] for cell, _ in cells} == {3}
