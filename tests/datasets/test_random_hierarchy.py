"""The grammar's images are spelt again node by node, its rules counted one by one."""

import math
from itertools import combinations, product

import pytest
import torch

from mae_bench.datasets import Batch
from mae_bench.datasets.random_hierarchy import (
    RandomHierarchy,
    draw_rules,
    simplex,
    to_children,
    to_raster,
)

WORLDS = [
    {},
    {"symbols": 3, "rules": "random:2,shift:3"},
    {"symbols": 5, "rules": "balanced:7", "leaf_size": 3, "noise": 1.0},
    {"symbols": 2, "rules": "random:1, random:4, balanced:3", "leaf_size": 1},
]
RULES = [
    ("random", 2, 4),
    ("random", 8, 2),
    ("shift", 4, 4),
    ("shift", 2, 3),
    ("shift", 8, 8),
    ("balanced", 9, 3),
    ("balanced", 5, 4),
]


def rng(seed=0):
    return torch.Generator().manual_seed(seed)


def symbols(batch, level):
    """Symbol of each node, [n, nodes]."""
    return batch.latents[f"level_{level}"].view(len(batch), 4**level, -1).argmax(2)


def child_given_parent(rule, slots):
    """P(symbols of some children | parent), by counting productions."""
    v, m, _ = rule.shape
    table = torch.zeros(v, *[v] * len(slots), dtype=torch.float64)
    for p, r in product(range(v), range(m)):
        table[(p, *rule[p, r, list(slots)].tolist())] += 1 / m
    return table


@pytest.mark.parametrize("settings", WORLDS)
def test_every_node_spells_its_children_by_a_production_of_its_symbol(settings):
    world = RandomHierarchy(rng(), **settings)
    batch = world.sample(30, rng(1))
    assert torch.equal(batch.labels, symbols(batch, 0)[:, 0])
    for level, rule in enumerate(world.rules):
        parents, children = symbols(batch, level), symbols(batch, level + 1)
        side = 2**level
        for i, row, column in product(range(30), range(side), range(side)):
            corner = 2 * row * 2 * side + 2 * column
            places = [corner, corner + 1, corner + 2 * side, corner + 2 * side + 1]
            symbol = parents[i, row * side + column]
            assert children[i, places].tolist() in rule[symbol].tolist()


@pytest.mark.parametrize("settings", WORLDS)
def test_leaves_are_painted_in_their_place(settings):
    world = RandomHierarchy(rng(), **(settings | {"noise": 1e-6}))
    batch = world.sample(30, rng(1))
    leaves, p = symbols(batch, world.depth), world.textures.shape[1]
    side = 2**world.depth
    for row, column in product(range(side), range(side)):
        square = batch.images[:, 0, row * p : (row + 1) * p, column * p :][..., :p]
        texture = world.textures[leaves[:, row * side + column]]
        torch.testing.assert_close(square, texture, atol=1e-4, rtol=0)


def test_the_noise_has_its_variance():
    world = RandomHierarchy(rng(), noise=0.5)
    batch = world.sample(2000, rng(1))
    clean = world.textures[symbols(batch, 2)].view(2000, 4, 4, 2, 2)
    noise = batch.images - clean.transpose(2, 3).reshape(2000, 1, 8, 8)
    assert noise.var().item() == pytest.approx(0.25, rel=0.02)


@pytest.mark.parametrize("rule", RULES)
def test_four_children_tell_their_parent(rule):
    family, m, v = rule
    for seed in range(5):
        rules = draw_rules(family, m, v, rng(seed))
        assert rules.shape == (v, m, 4)
        assert 0 <= rules.min() <= rules.max() < v
        assert len({tuple(four) for four in rules.flatten(0, 1).tolist()}) == v * m


@pytest.mark.parametrize("seed", range(5))
def test_a_child_of_a_whole_shift_is_independent_of_the_parent_but_two_are_not(seed):
    rule = draw_rules("shift", 4, 4, rng(seed))
    for slot in range(4):
        assert (child_given_parent(rule, (slot,)) == 0.25).all()
    pairs = [child_given_parent(rule, pair) for pair in combinations(range(4), 2)]
    # Siblings depend on each other, and together on the parent.
    assert all((table.mean(0) - 1 / 16).abs().max() > 0.05 for table in pairs)
    assert any((table - table.mean(0)).abs().max() > 0.05 for table in pairs)


def test_a_broken_shift_gives_the_parent_away():
    rule = draw_rules("shift", 3, 4, rng())
    assert (child_given_parent(rule, (0,)) - 0.25).abs().max() > 0.05


@pytest.mark.parametrize("slots", [(0,), (3,), (0, 2), (1, 2), (1, 3)])
def test_a_child_of_each_pair_of_a_whole_balanced_rule_is_independent(slots):
    rule = draw_rules("balanced", 9, 3, rng())
    table = child_given_parent(rule, slots)
    torch.testing.assert_close(table, torch.full_like(table, 3.0 ** -len(slots)))
    pair = child_given_parent(rule, (0, 1))
    assert (pair.flatten(1).gt(0).sum(0) == 1).all()


def test_random_rules_are_drawn_from_all_of_them():
    found = {
        tuple(draw_rules("random", 1, 2, rng(seed))[0, 0].tolist())
        for seed in range(300)
    }
    assert len(found) == 16


@pytest.mark.parametrize("seed", range(5))
def test_a_leaf_of_the_default_world_says_nothing_of_the_class(seed):
    world = RandomHierarchy(rng(seed))
    for up, down in product(range(4), range(4)):
        chain = child_given_parent(world.rules[0], (up,)) @ child_given_parent(
            world.rules[1], (down,)
        )
        assert (chain == 0.25).all()


def test_symbols_and_productions_are_equally_likely():
    world, n = RandomHierarchy(rng()), 40_000
    batch = world.sample(n, rng(1))
    for level in (0, 2):
        share = batch.latents[f"level_{level}"].mean(0)
        assert (share - 0.25).abs().max() < 5 * math.sqrt(0.25 * 0.75 / n)
    first = child_given_parent(world.rules[0], (0, 1, 2, 3)).mean(0).flatten()
    spelt = symbols(batch, 1) @ 4 ** torch.arange(3, -1, -1)
    share = spelt.bincount(minlength=256) / n
    assert (share - first).abs().max() < 5 * math.sqrt(0.125 * 0.875 / n)


@pytest.mark.parametrize(
    ("corners", "dimension"), [(2, 1), (4, 4), (3, 4), (5, 4), (7, 9)]
)
def test_textures_are_a_regular_simplex_around_zero(corners, dimension):
    t = simplex(corners, dimension, rng())
    gram = t @ t.T / dimension
    regular = torch.full_like(gram, -1 / (corners - 1)).fill_diagonal_(1.0)
    torch.testing.assert_close(gram, regular)


def test_raster_and_children_are_each_others_inverse():
    x = torch.arange(2 * 64 * 3).view(2, 64, 3)
    assert torch.equal(to_raster(to_children(x)), x)
    # Node 5 of 4 x 4 has the quarters (2, 2) to (3, 3) of 8 x 8.
    assert to_children(x)[0, 5, :, 0].tolist() == [3 * i for i in (18, 19, 26, 27)]


def test_a_batch_is_what_the_world_declares():
    world = RandomHierarchy(rng(), symbols=3, rules="random:2,shift:3")
    batch = world.sample(5, rng())
    assert batch.images.shape == (5, 1, 8, 8)
    assert batch.images.dtype == torch.float32
    assert tuple(batch.latents) == world.levels == ("level_0", "level_1", "level_2")
    assert [z.shape[1] for z in batch.latents.values()] == [3, 12, 48]
    assert all(z.unique().tolist() == [0, 1] for z in batch.latents.values())
    assert world.num_classes == 3


def test_a_view_shares_the_class_and_nothing_else():
    world, n = RandomHierarchy(rng()), 40_000
    batch = world.sample(n, rng(1))
    view = world.redraw(batch, rng(2))
    assert torch.equal(view.labels, batch.labels)
    assert torch.equal(view.latents["level_0"], batch.latents["level_0"])
    assert not (view.images == batch.images).any()
    assert ((view.images * batch.images).mean(0)).abs().max() < 5 * 1.5 / math.sqrt(n)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"symbols": 1}, "symbols is 1"),
        ({"symbols": 6}, "leaf_size is 2; 6 textures need 5 pixels"),
        ({"leaf_size": 0}, "leaf_size is 0"),
        ({"noise": 0.0}, "noise is 0.0"),
        ({"noise": math.nan}, "noise is nan"),
        ({"rules": ""}, "rule '' is not understood"),
        ({"rules": "random:2,shift"}, "rule 'shift' is not understood"),
        ({"rules": "linear:2"}, "family of random, shift, balanced"),
        ({"rules": "random:-1"}, "rule 'random:-1' is not understood"),
        ({"rules": "random:0"}, r"'random:0' of 4 symbols; choose m in 1\.\.64"),
        ({"rules": "random:65"}, r"choose m in 1\.\.64"),
        ({"rules": "shift:5"}, r"'shift:5' of 4 symbols; choose m in 1\.\.4"),
        ({"rules": "balanced:17"}, r"choose m in 1\.\.16"),
        ({"symbols": 9, "leaf_size": 3, "rules": "shift:9"}, "shift have room for 8"),
    ],
)
def test_a_setting_out_of_range_is_named(settings, message):
    with pytest.raises(ValueError, match=message):
        RandomHierarchy(rng(), **settings)


def test_images_without_a_class_are_not_redrawn():
    with pytest.raises(ValueError, match="without labels"):
        RandomHierarchy(rng()).redraw(Batch(torch.zeros(3, 1, 8, 8)), rng())
