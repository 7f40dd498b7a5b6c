"""The tree is walked node by node, down by the mechanisms and up by their inverses."""

import math

import pytest
import torch
from torch.nn.functional import leaky_relu

from mae_bench.datasets import Batch
from mae_bench.datasets.invertible_tree import InvertibleTree
from mae_bench.oracles.located_latents import locate

WORLDS = [
    {},
    {"root_width": 3, "dag": True},
    {"depth": 1, "root_width": 7, "eps_width": 2, "slope": 0.1, "hidden": 3},
    {"depth": 3, "root_width": 1, "hidden": 1},
    {"hidden": 0},
]


def rng(seed=0):
    return torch.Generator().manual_seed(seed)


def node(batch, name):
    """z of a node, float64."""
    level, index = (int(part) for part in name.split("/"))
    z = batch.latents[f"level_{level}"].double()
    return z.view(len(z), 4**level, -1)[:, index]


def own_eps(batch, name):
    level, index = (int(part) for part in name.split("/"))
    eps = batch.latents[f"eps_{level}"].double()
    return eps.view(len(eps), 4**level, -1)[:, index]


def mechanism(world, name):
    """Matrices and shift of a node's g, float64."""
    level, index = (int(part) for part in name.split("/"))
    found = {
        key.removesuffix(f"_of_level_{level}"): tensor[index].double()
        for key, tensor in world.parameters().items()
        if key.endswith(f"_of_level_{level}")
    }
    return [found[f"matrix_{i}"] for i in range(len(found) - 1)], found["shift"]


def g(world, name, u):
    matrices, shift = mechanism(world, name)
    for matrix in matrices[:-1]:
        u = leaky_relu(u @ matrix, world.slope)
    return u @ matrices[-1] + shift


def g_inverse(world, name, z):
    matrices, shift = mechanism(world, name)
    u = torch.linalg.solve(matrices[-1].T, (z - shift).T).T
    for matrix in reversed(matrices[:-1]):
        u = leaky_relu(u, 1 / world.slope) @ matrix.T
    return u


@pytest.mark.parametrize("settings", WORLDS)
def test_every_node_is_its_mechanism_of_its_parents_and_its_own_term(settings):
    world = InvertibleTree(rng(), **settings)
    batch = world.sample(20, rng(1))
    for name, parents in world.graph().items():
        inputs = [node(batch, parent) for parent in parents]
        u = torch.cat([*inputs, own_eps(batch, name)], 1)
        z = node(batch, name)
        assert u.shape == z.shape
        torch.testing.assert_close(g(world, name, u), z, atol=1e-5, rtol=0)


@pytest.mark.parametrize("settings", WORLDS)
def test_one_leaf_of_pixels_tells_all_its_ancestors_and_their_terms(settings):
    world = InvertibleTree(rng(), **settings)
    batch = world.sample(20, rng(1))
    graph, p, last = world.graph(), world.leaf_size, len(world.parents)
    side = 2**last
    for leaf in (0, side + 1, 4**last - 1):
        row, column = leaf // side * p, leaf % side * p
        square = batch.images[:, 0, row : row + p, column : column + p]
        known = {f"{last}/{leaf}": square.flatten(1).double()}
        while open_nodes := [name for name in known if name in graph]:
            name = open_nodes[0]
            z = known.pop(name)
            torch.testing.assert_close(z, node(batch, name), atol=1e-3, rtol=0)
            u = g_inverse(world, name, z)
            eps = own_eps(batch, name)
            torch.testing.assert_close(u[:, -eps.shape[1] :], eps, atol=1e-3, rtol=0)
            parents = u[:, : -eps.shape[1]].chunk(len(graph[name]), 1)
            known |= dict(zip(graph[name], parents, strict=True))
        root = batch.latents["level_0"].double()
        torch.testing.assert_close(known["0/0"], root, atol=1e-3, rtol=0)


@pytest.mark.parametrize("settings", WORLDS)
def test_nodes_have_mean_zero_and_variance_one_over_their_numbers(settings):
    world, n = InvertibleTree(rng(), **settings), 20_000
    batch = world.sample(n, rng(1))
    for level in range(len(world.parents) + 1):
        z = batch.latents[f"level_{level}"].view(n, 4**level, -1)
        assert z.mean(0).abs().max() < 5.5 * math.sqrt(2 * 2.5 / n)
        assert (z.var(0).mean(1) - 1).abs().max() < 0.08
    terms = [z for name, z in batch.latents.items() if "eps" in name]
    free = torch.cat([batch.latents["level_0"], *terms], 1)
    eye = torch.eye(free.shape[1])
    assert (free.T @ free / n - eye).abs().max() < 5.5 * math.sqrt(2 / n)


def test_a_batch_is_what_the_world_declares():
    world = InvertibleTree(rng())
    batch = world.sample(5, rng())
    assert batch.images.shape == (5, 1, 8, 8)
    assert batch.images.dtype == torch.float32
    assert tuple(batch.latents) == world.levels
    assert world.levels == ("level_0", "level_1", "level_2", "eps_1", "eps_2")
    assert [z.shape[1] for z in batch.latents.values()] == [2, 12, 64, 4, 16]
    positive = (batch.latents["level_0"] > 0).long()
    assert torch.equal(batch.labels, positive[:, 0] + 2 * positive[:, 1])
    assert world.num_classes == 4


@pytest.mark.parametrize("settings", WORLDS[:2])
def test_redrawing_moves_the_nodes_that_are_not_kept_and_those_below(settings):
    world = InvertibleTree(rng(), **settings)
    batch = world.sample(30, rng(1))
    graph = world.graph()
    keep = [torch.rand(1, 4**level, generator=rng(2)) < 0.6 for level in range(3)]
    other = world.redraw_except(batch.latents, keep, rng(3))
    moved = {f"{level}/{i}" for level in range(3) for i in range(4**level)} - {
        f"{level}/{i}" for level in range(3) for i in keep[level][0].nonzero()[:, 0]
    }
    for name in ["0/0", *graph]:
        if set(graph.get(name, ())) & moved:
            moved.add(name)
        same = node(other, name) == node(batch, name)
        assert not same.all(1).any() if name in moved else same.all()
    for level in (1, 2):
        same = batch.latents[f"eps_{level}"] == other.latents[f"eps_{level}"]
        assert torch.equal(same, keep[level].expand_as(same))


def test_nodes_are_kept_image_by_image():
    world = InvertibleTree(rng())
    batch = world.sample(2, rng(1))
    keep = [torch.tensor([[True], [False]]).expand(2, 4**level) for level in range(3)]
    other = world.redraw_except(batch.latents, keep, rng(2))
    assert torch.equal(other.images[0], batch.images[0])
    assert not (other.images[1] == batch.images[1]).any()


def test_a_view_shares_the_root_and_nothing_else():
    world = InvertibleTree(rng())
    batch = world.sample(20_000, rng(1))
    view = world.redraw(batch, rng(2))
    assert torch.equal(view.latents["level_0"], batch.latents["level_0"])
    assert torch.equal(view.labels, batch.labels)
    for name in ("eps_1", "eps_2"):
        assert (view.latents[name].T @ batch.latents[name] / 20_000).abs().max() < 0.04


def test_the_graph_is_a_quadtree_in_raster_order():
    graph = InvertibleTree(rng()).graph()
    assert len(graph) == 20
    assert graph["2/5"] == ("1/0",)
    assert graph["2/6"] == ("1/1",)
    assert locate(graph, {f"2/{i}" for i in (0, 1, 4, 5)}).c == {"0/0"}
    centre = locate(graph, {f"2/{i}" for i in (5, 6, 9, 10)})
    assert centre.c == {"1/0", "1/1", "1/2", "1/3"}


def test_two_parents_make_neighbours_share_what_a_tree_would_not():
    graph = InvertibleTree(rng(), root_width=3, dag=True).graph()
    assert graph["1/3"] == ("0/0",)
    assert graph["2/0"] == ("1/0", "1/1")
    assert graph["2/15"] == ("1/3", "1/2")
    assert locate(graph, {"2/0", "2/1", "2/4", "2/5"}).c == {"1/0", "1/1"}


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"depth": 0}, "depth is 0"),
        ({"root_width": 0}, "root_width is 0"),
        ({"eps_width": 0}, "eps_width is 0"),
        ({"hidden": -1}, "hidden is -1"),
        ({"slope": 0.0}, r"slope is 0.0; choose in \(0, 1\]"),
        ({"slope": math.nan}, "slope is nan"),
        ({"depth": 3}, "a leaf has 5 numbers, which fill no square"),
        ({"dag": True}, "a leaf has 7 numbers"),
    ],
)
def test_a_setting_out_of_range_is_named(settings, message):
    with pytest.raises(ValueError, match=message):
        InvertibleTree(rng(), **settings)


def test_latents_of_another_world_are_not_redrawn():
    world = InvertibleTree(rng())
    with pytest.raises(ValueError, match="none of this tree"):
        world.redraw(Batch(torch.zeros(3, 1, 8, 8)), rng())
    batch = world.sample(2, rng())
    with pytest.raises(ValueError, match=r"flags for \[1\] nodes; give \[1, 4, 16\]"):
        world.redraw_except(batch.latents, [torch.ones(1, 1).bool()], rng())
