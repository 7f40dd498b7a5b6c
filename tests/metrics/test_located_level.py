from itertools import combinations
from typing import Any

import pytest
import torch

from mae_bench.datasets.digits import Digits
from mae_bench.datasets.gaussian_tree import GaussianTree
from mae_bench.methods.mae import MAE
from mae_bench.methods.random_init import RandomInit
from mae_bench.metrics import Skip
from mae_bench.metrics.located_level import leaves, located_level
from mae_bench.oracles.located_latents import locate


def stream(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def measured(**settings: Any) -> dict[str, float]:
    world = GaussianTree(stream())
    method = MAE(world, stream(1), **settings)
    found: dict[str, float] = located_level(
        method, world, world.sample(2, stream(2)), stream(3)
    )
    return found


def brute_force(n_masked: int) -> tuple[float, float]:
    """E|c| and mean level over all masks of 16 leaves, by the graph's own algorithm."""
    tree = {f"1/{k}": ["0/0"] for k in range(4)}
    tree |= {f"2/{k}": [f"1/{k // 8 * 2 + k % 4 // 2}"] for k in range(16)}
    sizes, levels = [], []
    for masked in combinations(range(16), n_masked):
        c = locate(tree, {f"2/{k}" for k in masked}).c
        sizes.append(len(c))
        levels += [2 - int(node[0]) for node in c]
    return sum(sizes) / len(sizes), sum(levels) / len(levels)


@pytest.mark.parametrize(("ratio", "n_masked"), [(0.125, 2), (0.875, 14), (0.9, 15)])
def test_random_masks_locate_what_enumeration_does(ratio: float, n_masked: int) -> None:
    found = measured(mask_ratio=ratio)
    size, level = brute_force(n_masked)
    assert found["size_exact"] == pytest.approx(size)
    assert found["level_exact"] == pytest.approx(level)
    assert found["size"] == pytest.approx(size, abs=0.02)
    assert found["level"] == pytest.approx(level, abs=0.01)


def test_the_unit_sets_the_level() -> None:
    for ratio in (0.25, 0.5, 0.75):
        found = measured(mask_ratio=ratio, mask_unit=4)
        assert found["level"] == found["level_of_unit"] == 2.0
        assert found["size"] == found["size_exact"] == 1.0


def test_aligned_masks_locate_the_root_and_have_no_formula() -> None:
    found = measured(mask_ratio=0.5, mask_family="aligned")
    assert (found["size"], found["level"]) == (1.0, 2.0)
    assert "size_exact" not in found


def test_patches_smaller_than_a_leaf_may_cut_it() -> None:
    with pytest.raises(Skip, match="cut leaves"):
        measured(patch_size=1)
    assert measured(patch_size=1, mask_unit=2) == pytest.approx(measured(), rel=0.02)


def test_masks_of_large_patches_cover_all_their_leaves() -> None:
    mask = torch.tensor([[1.0, 0.0, 0.0, 0.0]])
    assert leaves(mask, depth=2, image_size=8)[0, :2, :2].sum() == 4
    assert leaves(mask, depth=2, image_size=8).sum() == 4


def test_other_worlds_and_methods_are_skipped() -> None:
    tree, digits = GaussianTree(stream()), Digits(stream())
    batch = tree.sample(2, stream())
    with pytest.raises(Skip, match="no quadtree"):
        located_level(MAE(digits, stream()), digits, batch, stream())
    with pytest.raises(Skip, match="no masks"):
        located_level(RandomInit(tree, stream()), tree, batch, stream())
