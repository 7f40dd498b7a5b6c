from mae_bench.experiments.mask_unit_by_patch_size import MASK_UNIT_BY_PATCH_SIZE
from mae_bench.experiments.recoverability import RECOVERABILITY
from mae_bench.records.schema import TIERS


def test_the_two_sizes_vary_apart() -> None:
    points = [f for _, f in MASK_UNIT_BY_PATCH_SIZE.cells(TIERS["smoke"], range(1))]
    pairs = {(f["mask_unit"], f["patch_size"]) for f in points}
    assert pairs == {(2, 2), (4, 2), (4, 4)}
    assert len(points) == len(pairs) * 3 * len(MASK_UNIT_BY_PATCH_SIZE.datasets)


def test_at_small_patches_it_trains_nothing_that_recoverability_does_not() -> None:
    known = {cell.key for cell, _ in RECOVERABILITY.cells(TIERS["quick"], range(1))}
    for cell, factors in MASK_UNIT_BY_PATCH_SIZE.cells(TIERS["quick"], range(1)):
        shared = factors["patch_size"] == 2 and cell.dataset != "invertible_tree"
        assert (cell.key in known) == shared
