from mae_bench.experiments.grid_size import GRID_SIZE, HIGH, LARGE, LOW, SMALL
from mae_bench.experiments.mask_ratio import MASK_RATIO
from mae_bench.models.masking import visible_units
from mae_bench.records.schema import TIERS
from mae_bench.training.train import build


def test_the_grids_have_16_and_64_patches_and_each_has_its_own_extremes() -> None:
    found: dict[object, set[float]] = {SMALL: set(), LARGE: set()}
    for cell, factors in GRID_SIZE.cells(TIERS["smoke"], range(1)):
        _, method = build(cell, "cpu")
        patches = {SMALL: 16, LARGE: 64}[factors["tree_depth"]]
        assert method.encoder.num_patches == patches
        ratio = float(factors["mask_ratio"] or 0)
        # Whole patches: the ratio is what is hidden.
        assert patches - visible_units(patches, ratio) == patches * ratio
        found[factors["tree_depth"]].add(ratio)
    assert found == {
        SMALL: {LOW[0], 0.5, 0.75, HIGH[0]},
        LARGE: {LOW[1], 0.5, 0.75, HIGH[1]},
    }
    assert abs(HIGH[1] - 0.9) < 0.01
    assert abs(LOW[1] - 0.1) < 0.01


def test_the_small_grid_is_that_of_the_sweep_over_ratios() -> None:
    known = {cell.key for cell, _ in MASK_RATIO.cells(TIERS["quick"], range(1))}
    for cell, factors in GRID_SIZE.cells(TIERS["quick"], range(1)):
        assert (cell.key in known) == (factors["tree_depth"] == SMALL)
