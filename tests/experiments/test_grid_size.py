import torch

from mae_bench.experiments.grid_size import GRID_SIZE, HIGH, LARGE, LOW, SMALL
from mae_bench.experiments.mask_ratio import MASK_RATIO
from mae_bench.models.masking import visible_units
from mae_bench.oracles.ceilings import recoverable
from mae_bench.records.schema import TIERS
from mae_bench.training.train import build


def test_the_grids_have_16_and_64_patches_and_each_has_its_own_extremes() -> None:
    found: dict[object, set[object]] = {SMALL: set(), LARGE: set()}
    for cell, factors in GRID_SIZE.cells(TIERS["smoke"], range(1)):
        _, method = build(cell, "cpu")
        patches = {SMALL: 16, LARGE: 64}[str(factors["rules"])]
        assert method.encoder.num_patches == patches
        ratio = float(factors["mask_ratio"] or 0)
        # Whole patches: the ratio is what is hidden.
        assert patches - visible_units(patches, ratio) == patches * ratio
        found[factors["rules"]].add(ratio)
    assert found == {
        SMALL: {LOW[0], 0.5, 0.75, HIGH[0]},
        LARGE: {LOW[1], 0.5, 0.75, HIGH[1]},
    }
    assert abs(HIGH[1] - 0.9) < 0.01
    assert abs(LOW[1] - 0.1) < 0.01


def test_the_small_grid_is_that_of_the_sweep_over_ratios() -> None:
    known = {cell.key for cell, _ in MASK_RATIO.cells(TIERS["quick"], range(1))}
    for cell, factors in GRID_SIZE.cells(TIERS["quick"], range(1)):
        assert (cell.key in known) == (factors["rules"] == SMALL)


def test_one_leaf_of_the_small_hierarchy_says_something_of_its_root() -> None:
    (world,) = GRID_SIZE.datasets
    generator = torch.Generator().manual_seed(0)
    small = world(generator, rules=SMALL)
    mask = torch.ones(1, 8, 8)
    mask[:, :2, :2] = 0
    batch = small.sample(2000, generator)
    known = recoverable(small, batch, mask.flatten(1), generator)
    assert known["level_0"] > 0.3
