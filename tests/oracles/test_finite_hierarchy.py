"""The list of all images against images that the world draws."""

import pytest
import torch

from mae_bench.datasets.random_hierarchy import RandomHierarchy
from mae_bench.oracles.finite_hierarchy import finite_world, images_of


def rng(seed=0):
    return torch.Generator().manual_seed(seed)


def hierarchy(rules, symbols=3, **settings):
    return RandomHierarchy(rng(), rules=rules, symbols=symbols, **settings)


@pytest.mark.parametrize(
    ("rules", "n"), [("random:4", 12), ("shift:3", 9), ("random:2,random:2", 96)]
)
def test_every_drawn_image_is_listed_once_and_as_often_as_it_should(rules, n):
    world = hierarchy(rules)
    tokens, probability, labels = finite_world(world)
    assert len(tokens) == len(tokens.unique(dim=0)) == n
    assert probability.sum().item() == pytest.approx(1)
    drawn = world.sample(200 * n, rng(1))
    leaves = drawn.latents[world.levels[-1]].view(200 * n, -1, 3).argmax(-1)
    found = (leaves[:, None] == tokens).all(2)
    assert (found.sum(1) == 1).all()
    index = found.long().argmax(1)
    assert torch.equal(labels[index], drawn.labels)
    # Four deviations of a count of 200 are 57.
    assert (index.bincount(minlength=n) - 200).abs().max() < 80


def test_the_pictures_are_the_worlds_own_without_the_noise():
    world = hierarchy("random:2,random:2", noise=0.01)
    batch = world.sample(50, rng(1))
    tokens = batch.latents["level_2"].view(50, 16, 3).argmax(-1)
    assert (images_of(world, tokens) - batch.images).abs().max() < 0.06


def test_a_hidden_leaf_is_black_and_the_others_stay():
    world = hierarchy("random:2")
    tokens = finite_world(world).tokens
    whole = images_of(world, tokens)
    part = images_of(world, tokens.index_fill(1, torch.tensor([1]), -1))
    assert (part[:, :, :2, 2:] == 0).all()
    assert torch.equal(part[:, :, 2:], whole[:, :, 2:])
    assert torch.equal(part[:, :, :2, :2], whole[:, :, :2, :2])


def test_a_world_too_large_to_list_is_refused():
    with pytest.raises(ValueError, match="4096"):
        finite_world(hierarchy("random:3,random:8"))
