"""Posteriors against the enumeration of every tree that the grammar can spell."""

from functools import cache
from itertools import product

import pytest
import torch

from mae_bench.datasets.random_hierarchy import RandomHierarchy
from mae_bench.oracles.belief_propagation import (
    bayes_accuracy,
    explained_variance,
    leaf_log_likelihood,
    marginals,
    posteriors,
    propagate,
    reconstruction,
)

WORLDS = [
    {"rules": "random:2,shift:4"},
    {"symbols": 3, "rules": "random:1,random:2"},
    {"symbols": 2, "rules": "balanced:3,shift:1"},
    {"symbols": 4, "rules": "random:5"},
]


def rng(seed=0):
    return torch.Generator().manual_seed(seed)


@cache
def world_of(index, noise=1.0):
    return RandomHierarchy(rng(index), noise=noise, **WORLDS[index])


def masks_of(n, leaves, ratio=0.5, seed=0):
    return (torch.rand(n, leaves, generator=rng(seed)) < ratio).float()


@cache
def trees(index):
    """Symbols of all nodes, [trees, nodes] a level, of all equally likely trees."""
    world = world_of(index)
    grown = [([p],) for p in range(world.symbols)]
    for level, rule in enumerate(world.rules):
        side, taller = 2**level, []
        for tree in grown:
            for picks in product(range(rule.shape[1]), repeat=4**level):
                below = [0] * 4 ** (level + 1)
                for node, r in enumerate(picks):
                    top, left = 2 * (node // side), 2 * (node % side)
                    for k, symbol in enumerate(rule[tree[-1][node], r].tolist()):
                        below[(top + k // 2) * 2 * side + left + k % 2] = symbol
                taller.append((*tree, below))
        grown = taller
    return [torch.tensor(nodes) for nodes in zip(*grown, strict=True)]


def shares(index, weights):
    """Level -> share of the trees' weight [n, trees] with each symbol at each node."""
    eye = torch.eye(world_of(index).symbols, dtype=torch.float64)
    weights = weights / weights.sum(1, keepdim=True)
    return [torch.einsum("nt,tkv->nkv", weights, eye[nodes]) for nodes in trees(index)]


def slow_likelihood(world, images, mask):
    """N(x; t, σ²) of each leaf and symbol, pixel by pixel; 1 where masked."""
    side, p = 2**world.depth, world.textures.shape[1]
    found = torch.ones(len(images), side**2, world.symbols, dtype=torch.float64)
    for i, leaf, s in product(range(len(images)), range(side**2), range(world.symbols)):
        if mask[i, leaf] == 0:
            row, column = leaf // side * p, leaf % side * p
            square = images[i, 0, row : row + p, column : column + p]
            far = (square - world.textures[s]).double().square().sum()
            found[i, leaf, s] = (-far / (2 * world.noise**2)).exp()
    return found


def tree_weights(index, likelihood):
    leaves = trees(index)[-1]
    return likelihood[:, torch.arange(leaves.shape[1]), leaves].prod(2)


@pytest.mark.parametrize("index", range(4))
def test_posteriors_are_those_of_the_enumeration(index):
    world = world_of(index)
    images = world.sample(6, rng(1)).images
    mask = masks_of(6, 4**world.depth)
    exact = shares(index, tree_weights(index, slow_likelihood(world, images, mask)))
    found = posteriors(world, images, mask)
    assert tuple(found) == world.levels
    for belief, share in zip(found.values(), exact, strict=True):
        torch.testing.assert_close(belief, share, atol=1e-6, rtol=0)


@pytest.mark.parametrize("index", range(4))
def test_marginals_are_those_of_the_enumeration(index):
    exact = shares(index, torch.ones(1, len(trees(index)[0]), dtype=torch.float64))
    for belief, share in zip(marginals(world_of(index)).values(), exact, strict=True):
        torch.testing.assert_close(belief, share)


@pytest.mark.parametrize("index", [0, 1, 2])
def test_a_cut_below_the_root_leaves_four_trees_with_their_true_marginals(index):
    world = world_of(index)
    images = world.sample(6, rng(1)).images
    mask = masks_of(6, 16)
    likelihood = slow_likelihood(world, images, mask)
    found = posteriors(world, images, mask, cut=1)
    prior = list(marginals(world).values())
    torch.testing.assert_close(found["level_0"], prior[0].expand(6, 1, -1))
    rule = world.rules[1]
    for node in range(4):
        corner = node // 2 * 8 + node % 2 * 2
        places = torch.tensor([corner, corner + 1, corner + 4, corner + 5])
        weight = torch.stack(
            [likelihood[:, places, four].prod(1) for four in rule.flatten(0, 1)], 1
        ).view(6, world.symbols, -1)
        weight = weight * prior[1][0, node][:, None]
        weight = weight / weight.sum((1, 2), keepdim=True)
        torch.testing.assert_close(
            found["level_1"][:, node], weight.sum(2), atol=1e-6, rtol=0
        )
        eye = torch.eye(world.symbols, dtype=torch.float64)
        leaves = torch.einsum("npm,pmkv->nkv", weight, eye[rule])
        torch.testing.assert_close(
            found["level_2"][:, places], leaves, atol=1e-6, rtol=0
        )


@pytest.mark.parametrize("index", range(4))
def test_a_cut_above_the_leaves_leaves_each_by_itself(index):
    world = world_of(index)
    images = world.sample(6, rng(1)).images
    mask = masks_of(6, 4**world.depth)
    weight = slow_likelihood(world, images, mask) * list(marginals(world).values())[-1]
    found = posteriors(world, images, mask, cut=world.depth)
    torch.testing.assert_close(
        list(found.values())[-1],
        weight / weight.sum(2, keepdim=True),
        atol=1e-6,
        rtol=0,
    )


@pytest.mark.parametrize("cut", [None, 1, 2])
def test_an_unseen_image_has_the_true_marginals_cut_or_not(cut):
    world = world_of(1)
    found = posteriors(world, torch.zeros(2, 1, 8, 8), torch.ones(1, 16), cut=cut)
    for level, share in marginals(world).items():
        torch.testing.assert_close(found[level], share.expand(2, -1, -1))


def test_marginals_are_the_frequencies_of_samples():
    world = RandomHierarchy(rng(3), rules="random:3,random:2,random:2")
    batch = world.sample(20_000, rng(1))
    for level, share in marginals(world).items():
        seen = batch.latents[level].mean(0).view(share.shape[1:])
        assert (seen - share[0]).abs().max() < 5 * 0.5 / 20_000**0.5


def test_probabilities_are_frequencies():
    world = world_of(0)
    batch = world.sample(8000, rng(1))
    found = posteriors(world, batch.images, masks_of(8000, 16))
    for level, belief in found.items():
        truth = batch.latents[level].view(belief.shape)
        for low in (0.0, 0.2, 0.5, 0.8):
            here = (belief >= low) & (belief <= low + 0.2)
            gap = (truth[here].double() - belief[here]).mean().abs()
            assert gap < 5 * 0.5 / (here.any(2).any(1).sum().item()) ** 0.5


@pytest.mark.parametrize("leaf", [0, 6, 15])
def test_one_leaf_says_nothing_of_the_class_and_all_say_it(leaf):
    world = RandomHierarchy(rng())
    batch = world.sample(500, rng(1))
    alone = 1 - torch.eye(16)[leaf][None]
    belief = posteriors(world, batch.images, alone)["level_0"]
    torch.testing.assert_close(belief, torch.full_like(belief, 0.25))
    whole = posteriors(world, batch.images, torch.zeros(1, 16))
    accuracy = bayes_accuracy(whole, batch.latents)
    assert list(accuracy.values()) == pytest.approx([1, 1, 1], abs=2e-3)


def test_what_stands_in_masked_leaves_does_not_matter():
    world = world_of(0)
    images = world.sample(3, rng(1)).images
    mask = torch.zeros(3, 4, 4)
    mask[:, :2, :2] = 1
    spoilt = images.clone()
    spoilt[:, :, :4, :4] = torch.nan
    one = posteriors(world, images, mask.flatten(1))
    two = posteriors(world, spoilt, mask.flatten(1))
    assert all(torch.equal(one[level], two[level]) for level in one)


def test_a_belief_survives_images_far_from_every_texture():
    world = RandomHierarchy(rng(), noise=1e-3)
    images = 100 * torch.randn(5, 1, 8, 8, generator=rng())
    for belief in posteriors(world, images, torch.zeros(1, 16)).values():
        torch.testing.assert_close(belief.sum(2), torch.ones_like(belief[:, :, 0]))


def test_the_likelihood_is_the_density_but_for_a_constant():
    world = world_of(3)
    images = world.sample(4, rng(1)).images
    mask = masks_of(4, 4)
    found = leaf_log_likelihood(world, images, mask)
    exact = slow_likelihood(world, images, mask).log()
    assert (found[mask == 1] == 0).all()
    torch.testing.assert_close(found.softmax(2), exact.softmax(2), atol=1e-6, rtol=0)


@pytest.mark.parametrize("index", [0, 3])
def test_the_reconstruction_is_the_mean_of_the_enumeration(index):
    world = world_of(index)
    images = world.sample(5, rng(1)).images
    mask = masks_of(5, 4**world.depth)
    likelihood = slow_likelihood(world, images, mask)
    leaves = shares(index, tree_weights(index, likelihood))[-1]
    found = reconstruction(world, images, mask)
    side, p = 2**world.depth, world.textures.shape[1]
    for i in range(5):
        squares = []
        for leaf in range(side**2):
            row, column = leaf // side * p, leaf % side * p
            here = (i, 0, slice(row, row + p), slice(column, column + p))
            mean = torch.einsum("v,vpq->pq", leaves[i, leaf], world.textures.double())
            expected = mean if mask[i, leaf] else images[here].double()
            torch.testing.assert_close(found.images[here], expected, atol=1e-5, rtol=0)
            squares += [(mean - images[here]).square().mean()] * int(mask[i, leaf])
        assert found.error[i].item() == pytest.approx(
            torch.stack(squares).mean().item(), rel=1e-5
        )


def test_the_error_is_what_the_posterior_expects_and_a_cut_adds_to_it():
    world = RandomHierarchy(rng())
    images = world.sample(8000, rng(1)).images
    mask = masks_of(8000, 16)
    mask[:, 0] = 1
    error = reconstruction(world, images, mask).error
    leaves = posteriors(world, images, mask)["level_2"]
    # Corners of a simplex of 4, mean square 1: their spread is 4/3 (1 - Σ p²).
    spread = 4 / 3 * (1 - leaves.square().sum(2))
    expected = (spread * mask).sum(1) / mask.sum(1) + world.noise**2
    four_sigma = 4 * (error - expected).std().item() / 8000**0.5
    assert error.mean().item() == pytest.approx(expected.mean().item(), abs=four_sigma)
    cuts = [reconstruction(world, images, mask, cut=c).error.mean() for c in (1, 2)]
    assert error.mean() + 0.2 < cuts[0] < cuts[1] - 0.2


def test_explained_variance_is_zero_for_the_mean_and_one_for_all_but_the_noise():
    world = RandomHierarchy(rng(3), rules="random:2,random:2", noise=0.4)
    assert explained_variance(world, 0.4**2) == pytest.approx(1)
    images = world.sample(8000, rng(1)).images
    blind = reconstruction(world, images, torch.ones(1, 16)).error.mean().item()
    assert explained_variance(world, blind) == pytest.approx(0, abs=0.02)
    variance = (images.double().var(0).mean() - 0.4**2).item()
    assert explained_variance(world, 0.4**2 + variance / 2) == pytest.approx(
        0.5, abs=0.01
    )


@pytest.mark.parametrize(
    ("mask", "cut", "message"),
    [
        (torch.zeros(1, 4), None, "mask has 4 leaves; give this world's 16"),
        (torch.full((1, 16), 0.5), None, "other than 0"),
        (torch.zeros(1, 16), 0, r"cut is 0; choose a level in 1\.\.2"),
        (torch.zeros(1, 16), 3, "cut is 3"),
    ],
)
def test_a_mask_or_cut_that_is_none_is_refused(mask, cut, message):
    with pytest.raises(ValueError, match=message):
        posteriors(world_of(0), torch.zeros(2, 1, 8, 8), mask, cut=cut)


def test_nothing_masked_is_not_reconstructed():
    with pytest.raises(ValueError, match="nothing masked"):
        reconstruction(world_of(0), torch.zeros(2, 1, 8, 8), torch.zeros(1, 16))


def test_rules_of_any_origin_are_propagated():
    copy = torch.tensor([[[0, 0, 0, 0]], [[1, 1, 1, 1]]])
    seen = torch.zeros(1, 4, 2, dtype=torch.float64)
    seen[0, 2, 1] = 3.0
    for belief in propagate([copy], seen).values():
        assert (belief[..., 1] - 1 / (1 + torch.tensor(-3.0).exp())).abs().max() < 1e-6
