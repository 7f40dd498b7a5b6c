"""The tree's samples, its exact covariance and slow loops over its nodes agree."""

import math
from functools import cache
from itertools import product

import pytest
import torch
from torch import Tensor

from mae_bench.datasets import Batch, orthant
from mae_bench.datasets.gaussian_tree import GaussianTree, paint

WORLDS = [
    {},
    {
        "tree_depth": 1,
        "node_width": 3,
        "leaf_size": 1,
        "channels": 3,
        "parent_weight": 0.5,
    },
    {"tree_depth": 3, "node_width": 1, "leaf_size": 1, "pixel_noise": 1.0},
    {"tree_depth": 1, "node_width": 2, "leaf_size": 3, "channels": 2},
]
Node = tuple[int, int, int]  # level, row, column


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def up(node: Node, level: int) -> Node:
    """The ancestor at a level."""
    return (level, node[1] >> (node[0] - level), node[2] >> (node[0] - level))


@cache
def descent(world: GaussianTree, node: Node, level: int) -> Tensor:
    """F of E[z_node | its ancestor at ``level``] = F z: the product of all a Q_c."""
    F = torch.eye(world.node_width, dtype=torch.float64)
    for step in range(level + 1, node[0] + 1):
        _, row, column = up(node, step)
        rotations = world.parameters()[f"rotations_{step}"]
        Q = rotations[row // 2, column // 2, row % 2, column % 2].double()
        F = world.parent_weight * Q @ F
    return F


def slow_node_covariance(world: GaussianTree, one: Node, two: Node) -> Tensor:
    """Cov of two nodes, down both branches from their last common ancestor."""
    levels = range(min(one[0], two[0]) + 1)
    last = max(level for level in levels if up(one, level) == up(two, level))
    return descent(world, one, last) @ descent(world, two, last).T


def nodes(level: int) -> list[Node]:
    return [(level, row, column) for row, column in product(range(2**level), repeat=2)]


def slow_signal(world: GaussianTree, one: Node) -> Tensor:
    """Cov(z_node, x), leaf by leaf, pixel by pixel."""
    depth, side = len(world.levels) - 1, world.image_size
    W = world.parameters()["patterns"].double()
    p = len(W)
    found = torch.zeros(world.node_width, world.channels, side, side).double()
    for leaf in nodes(depth):
        shared = slow_node_covariance(world, one, leaf)
        for i, j, c in product(range(p), range(p), range(world.channels)):
            found[:, c, leaf[1] * p + i, leaf[2] * p + j] = shared @ W[i, j, c]
    return found.flatten(1)


@pytest.mark.parametrize("settings", WORLDS)
def test_the_covariances_are_those_of_a_walk_over_the_tree(settings):
    world = GaussianTree(rng(), **settings)
    depth, side = len(world.levels) - 1, world.image_size
    for level, cross in enumerate(world.cross_covariance().values()):
        slow = torch.cat([slow_signal(world, node) for node in nodes(level)])
        torch.testing.assert_close(cross, slow, atol=1e-6, rtol=0)
    # x = W z_leaf + noise: Cov(x, x) from the leaves' Cov(z, x).
    leaves = torch.stack([slow_signal(world, leaf) for leaf in nodes(depth)])
    W, p = world.parameters()["patterns"].double(), len(world.parameters()["patterns"])
    slow = torch.zeros(world.channels, side, side, leaves.shape[-1]).double()
    for c, y, x in product(range(world.channels), range(side), range(side)):
        leaf = leaves[(y // p) * 2**depth + x // p]
        slow[c, y, x] = W[y % p, x % p, c] @ leaf
    slow = slow.flatten(0, 2) + world.pixel_noise**2 * torch.eye(leaves.shape[-1])
    torch.testing.assert_close(world.covariance(), slow, atol=1e-5, rtol=0)


@pytest.mark.parametrize("settings", WORLDS)
def test_samples_have_the_exact_covariance(settings, samples_agree):
    samples_agree(GaussianTree(rng(), **settings))


@pytest.mark.parametrize("settings", WORLDS)
def test_pixels_have_variance_one_and_the_noise_on_average(settings):
    world = GaussianTree(rng(3), **settings)
    mean = world.covariance().diag().mean().item()
    assert mean == pytest.approx(1 + world.pixel_noise**2, rel=1e-12)


def test_a_node_is_its_parent_turned_and_its_own_noise():
    world = GaussianTree(rng())
    levels = [z.double() for z in world.sample(20_000, rng(1)).latents.values()]
    for level, (child, parent) in enumerate(
        zip(levels[1:], levels[:-1], strict=True), start=1
    ):
        side, Q = 2**level, world.parameters()[f"rotations_{level}"].double()
        k, a = world.node_width, world.parent_weight
        child, parent = (z.unflatten(1, (-1, k)) for z in (child, parent))
        for row, column in product(range(side), repeat=2):
            above = parent[:, (row // 2) * (side // 2) + column // 2]
            turn = Q[row // 2, column // 2, row % 2, column % 2]
            rest = child[:, row * side + column] - a * above @ turn.T
            joint = torch.cat([rest, above], 1).T.cov()
            expected = torch.tensor([1 - a**2] * k + [1.0] * k).double().diag()
            torch.testing.assert_close(joint, expected, atol=0.05, rtol=0)


def test_a_leaf_paints_its_own_square():
    z = torch.randn(2, 4, 4, 3, generator=rng())
    W = torch.randn(2, 2, 5, 3, generator=rng(1))
    images = paint(z, W)
    for y, x, c in product(range(8), range(8), range(5)):
        slow = z[:, y // 2, x // 2] @ W[y % 2, x % 2, c]
        torch.testing.assert_close(images[:, c, y, x], slow)


def test_the_class_is_the_quadrant_of_the_root_and_classes_are_balanced():
    batch = GaussianTree(rng()).sample(40_000, rng(1))
    slow = [int(a > 0) + 2 * int(b > 0) for a, b in batch.latents["level_0"][:200]]
    assert batch.labels[:200].tolist() == slow
    share = batch.labels.bincount(minlength=4) / len(batch)
    assert share.sub(0.25).abs().max() < 0.01


@pytest.mark.parametrize(("width", "classes"), [(1, 2), (2, 4), (4, 4)])
def test_the_number_of_classes_follows_the_width_of_the_root(width, classes):
    world = GaussianTree(rng(), node_width=width)
    assert world.num_classes == classes
    labels = world.sample(200, rng()).labels
    assert labels.unique().tolist() == list(range(classes))
    assert orthant(torch.ones(1, width)[:, :2]).item() == classes - 1


def test_a_batch_is_what_the_world_declares():
    world = GaussianTree(rng(), tree_depth=1, node_width=3, channels=2)
    batch = world.sample(5, rng())
    assert batch.images.shape == (5, 2, 4, 4)
    assert batch.images.dtype == torch.float32
    assert tuple(batch.latents) == world.levels == ("level_0", "level_1")
    assert [z.shape[1] for z in batch.latents.values()] == world.widths == [3, 12]


@pytest.mark.parametrize("shared", [0, 1, 2])
def test_a_redrawing_keeps_the_latents_down_to_the_shared_level(shared):
    world = GaussianTree(rng(), shared_level=shared)
    batch = world.sample(50, rng(1))
    view = world.redraw(batch, rng(2))
    assert torch.equal(view.labels, batch.labels)
    for level, name in enumerate(world.levels):
        kept = view.latents[name] == batch.latents[name]
        assert kept.all() if level <= shared else not kept.any()
    assert not (view.images == batch.images).any()


@pytest.mark.parametrize("shared", [0, 1, 2])
def test_two_views_share_what_the_kept_level_says_and_no_more(shared):
    world, n = GaussianTree(rng(), shared_level=shared), 40_000
    batch = world.sample(n, rng(1))
    view = world.redraw(batch, rng(2))
    x, y = (b.images.flatten(1).double() for b in (batch, view))
    # The latents of a level explain what pixels share, through E[x | level].
    z = list(batch.latents.values())[shared].double()
    cross = list(world.cross_covariance().values())[shared]
    within = z.T @ z / n
    common = cross.T @ torch.linalg.solve(within, cross)
    assert (x.T @ y / n - common).abs().max() < 0.06
    assert (y.T @ y / n - world.covariance()).abs().max() < 0.06


def test_a_view_that_keeps_every_node_differs_by_pixel_noise():
    world = GaussianTree(rng(), shared_level=2, pixel_noise=0.2)
    batch = world.sample(2000, rng(1))
    change = world.redraw(batch, rng(2)).images - batch.images
    assert change.var().item() == pytest.approx(2 * 0.2**2, rel=0.03)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"tree_depth": 0}, "depth is 0"),
        ({"node_width": 0}, "node_width is 0"),
        ({"node_width": 5}, r"node_width is 5; choose in 1\.\.4"),
        ({"leaf_size": 0}, "leaf_size is 0"),
        ({"channels": 0}, "channels is 0"),
        ({"shared_level": 3}, r"shared_level is 3; choose in 0\.\.2"),
        ({"shared_level": -1}, "shared_level is -1"),
        ({"parent_weight": 0.0}, "parent_weight is 0.0"),
        ({"parent_weight": 1.0}, "parent_weight is 1.0"),
        ({"parent_weight": math.nan}, "parent_weight is nan"),
        ({"pixel_noise": 0.0}, "pixel_noise is 0.0"),
        ({"pixel_noise": math.nan}, "pixel_noise is nan"),
    ],
)
def test_a_setting_out_of_range_is_named(settings, message):
    with pytest.raises(ValueError, match=message):
        GaussianTree(rng(), **settings)


def test_images_of_another_world_are_not_redrawn():
    with pytest.raises(ValueError, match="no images of this tree"):
        GaussianTree(rng()).redraw(Batch(torch.zeros(3, 1, 8, 8)), rng())
