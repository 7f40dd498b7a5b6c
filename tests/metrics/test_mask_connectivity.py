"""Connectivity against sums over pairs of images, and against the whole graph."""

from itertools import pairwise

import pytest
import torch

from mae_bench.datasets.gaussian_tree import GaussianTree
from mae_bench.datasets.random_hierarchy import RandomHierarchy
from mae_bench.methods.mae import MAE
from mae_bench.methods.pixels import Pixels
from mae_bench.metrics import Skip
from mae_bench.metrics.mask_connectivity import (
    connectivity,
    mask_connectivity,
    nested_masks,
)
from mae_bench.oracles.finite_hierarchy import finite_world
from mae_bench.oracles.mask_graph import (
    labelling_error,
    mask_graph,
    spectrum,
)

RATIOS = (0.125, 0.25, 0.5, 0.75, 0.875)


def rng(seed=0):
    return torch.Generator().manual_seed(seed)


def hierarchy():
    return RandomHierarchy(rng(), symbols=2, rules="random:2,random:2", noise=0.1)


def measured(**settings):
    world = hierarchy()
    method = MAE(world, rng(), **settings)
    return mask_connectivity(method, world, world.sample(2, rng()), rng(5))


@pytest.mark.parametrize("ratio", RATIOS)
def test_masks_remove_their_share_and_are_complements_on_the_other_side(ratio):
    masks = nested_masks(16, ratio, rng())
    assert (masks.sum(1) == 16 * ratio).all()
    assert torch.equal(masks, 1 - nested_masks(16, 1 - ratio, rng())) == (ratio != 0.5)
    assert len(masks.unique(dim=0)) > 10


def test_every_patch_is_masked_about_as_often():
    often = sum(nested_masks(16, 0.25, rng(s)).double().mean(0) for s in range(40)) / 40
    assert (often - 0.25).abs().max() < 0.05


def test_masks_of_a_larger_ratio_hold_those_of_a_smaller_one_up_to_a_half():
    masks = [nested_masks(16, ratio, rng()) for ratio in (0.125, 0.25, 0.5)]
    assert all((low <= high).all() for low, high in pairwise(masks))


def test_means_over_masks_are_the_oracles_numbers():
    world, masks = finite_world(hierarchy()), nested_masks(16, 0.75, rng())[:3]
    found = connectivity(world, masks, 2)
    each = [mask_graph(world.tokens, world.probability, m[None]) for m in masks]
    tails = [spectrum(g.adjacency).eigenvalues[2:].square().sum() for g in each]
    assert found["tail"] == pytest.approx(float(sum(tails)) / 3)
    whole = mask_graph(world.tokens, world.probability, masks)
    alpha = labelling_error(whole, world.labels)
    assert found["labelling_error"] == pytest.approx(alpha)
    assert found["forecast"] == pytest.approx(-found["tail"] - alpha)
    # Two images share a masked part: over all pairs of images.
    n, shared = len(world.tokens), 0
    for mask in masks.bool():
        same = world.tokens[:, None, mask] == world.tokens[None, :, mask]
        shared += same.all(2).sum().item()
    assert found["sharing"] == pytest.approx(shared / (3 * n * n))


def test_tails_are_equal_at_complements_and_the_labelling_error_only_grows():
    rows = [measured(mask_ratio=ratio, embed_dim=4) for ratio in RATIOS]
    tails = [row["tail"] for row in rows]
    assert tails[:2] == pytest.approx(tails[:-3:-1])
    assert tails[2] > tails[1] > 0
    errors = [row["labelling_error"] for row in rows]
    assert errors == sorted(errors)
    assert errors[-1] > errors[0] + 0.1
    sharing = [row["sharing"] for row in rows]
    assert sharing == sorted(sharing, reverse=True)


def test_a_code_is_as_wide_as_its_bottleneck():
    wide, narrow = measured(embed_dim=8), measured(embed_dim=8, bottleneck=2)
    assert narrow["tail"] > wide["tail"]
    assert narrow["labelling_error"] == wide["labelling_error"]


def test_what_cannot_be_listed_is_skipped():
    world, tree = hierarchy(), GaussianTree(rng())
    large = RandomHierarchy(rng())

    def ask(method, dataset):
        mask_connectivity(method, dataset, dataset.sample(2, rng()), rng())

    with pytest.raises(Skip, match="Pixels draws no uniform masks"):
        ask(Pixels(world, rng()), world)
    with pytest.raises(Skip, match="no uniform masks"):
        ask(MAE(world, rng(), mask_family="block"), world)
    with pytest.raises(Skip, match="GaussianTree cannot be listed"):
        ask(MAE(tree, rng()), tree)
    with pytest.raises(Skip, match="leaves of 2 pixels"):
        ask(MAE(world, rng(), mask_unit=4), world)
    with pytest.raises(Skip, match="at most 512"):
        ask(MAE(large, rng()), large)
