"""The law of a context is that of listed strings; its size that of many grammars."""

from itertools import product

import pytest
import torch

from mae_bench.datasets.random_hierarchy import RandomHierarchy, draw_rules
from mae_bench.oracles.context_law import expected_variance, variance
from mae_bench.oracles.finite_hierarchy import finite_world

# Ancestor, tuple's parent and symbol, in a tree of three levels -> their distance.
DISTANCES = {(1, 2, 3): 3, (0, 1, 2): 3, (0, 1, 3): 4, (0, 2, 3): 5}


def rng(seed=0):
    return torch.Generator().manual_seed(seed)


def binary_rules(v, m, generator):
    """Rules of two children: m different pairs a symbol, none shared."""
    pairs = torch.randperm(v * v, generator=generator)[: v * m]
    return torch.stack([pairs // v, pairs % v], 1).view(v, m, 2)


def strings(rules):
    """All rows (symbols of level 0, 1, ...) of a binary tree, each as likely."""
    rows = [((root,),) for root in range(len(rules[0]))]
    for rule in rules:
        table = [[tuple(r) for r in one] for one in rule.tolist()]
        rows = [
            (*row, tuple(c for children in choice for c in children))
            for row in rows
            for choice in product(*(table[p] for p in row[-1]))
        ]
    return rows


def slow_variance(rows, ancestor, tuple_level, level, v, s=2):
    """By counting: over pairs of places on two sides of a common ancestor."""
    below, under = s ** (tuple_level - ancestor), s ** (level - ancestor)
    total, pairs = 0.0, 0
    for place, other in product(range(below), range(s)):
        if place // (below // s) == other:
            continue
        joint = torch.zeros(v, v, dtype=torch.float64)
        for row in rows:
            for node in range(s**ancestor):
                a = row[tuple_level][node * below + place]
                x = row[level][node * under + other * under // s]
                joint[a, x] += 1 / len(rows) / s**ancestor
        p, q = joint.sum(1, keepdim=True), joint.sum(0)
        seen = p[:, 0] > 0
        square = (joint[seen] / p[seen] - q).square()
        total += float((p[seen] * square).sum()) / v
        pairs += 1
    return total / pairs


@pytest.mark.parametrize("where", [(0, 1, 2), (1, 2, 3), (0, 1, 3), (0, 2, 3)])
def test_the_variance_is_that_of_all_strings_of_a_binary_grammar(where):
    rules = [binary_rules(3, m, rng(m)) for m in (2, 2, 1)]
    slow = slow_variance(strings(rules), *where, v=3)
    assert variance(rules, *where) == pytest.approx(slow, rel=1e-9)
    assert slow > 0


def test_the_variance_is_that_of_all_images_of_our_quadtree():
    world = RandomHierarchy(rng(), symbols=3, rules="random:2,random:2", leaf_size=2)
    listed_world = finite_world(world)
    total = 0.0
    # Raster order of 4 x 4 leaves: the first leaf of each quarter.
    firsts = listed_world.tokens[:, [0, 2, 8, 10]]
    for place, other in product(range(4), range(4)):
        if place == other:
            continue
        corner = [0, 2, 8, 10][place]
        tuples = listed_world.tokens[:, [corner + k for k in (0, 1, 4, 5)]]
        match = (tuples[:, None, None] == world.rules[1]).all(-1).any(-1)
        symbol = match.long().argmax(1)
        joint = torch.zeros(3, 3, dtype=torch.float64)
        weight = listed_world.probability
        joint.index_put_((symbol, firsts[:, other]), weight, accumulate=True)
        p, q = joint.sum(1, keepdim=True), joint.sum(0)
        given = torch.where(p > 0, joint / p.clamp(min=1e-12), q)
        total += float((p * (given - q).square()).sum()) / 3 / 12
    assert variance(world.rules, 0, 1, 2) == pytest.approx(total, rel=1e-9)


@pytest.mark.parametrize(("where", "distance"), DISTANCES.items())
def test_over_grammars_it_is_the_formula_up_to_the_next_order(where, distance):
    v, m = 8, 8
    found = [
        variance([draw_rules("random", m, v, generator) for _ in range(3)], *where)
        for generator in map(rng, range(24))
    ]
    mean = torch.tensor(found).mean().item()
    assert mean / expected_variance(v, m, distance) == pytest.approx(1, abs=0.35)
    # A neighbouring distance would be a factor of about m away.
    assert mean / expected_variance(v, m, distance + 1) > 3


def test_where_all_strings_are_spelled_nothing_tells_of_anything():
    rules = [binary_rules(4, 4, rng(level)) for level in range(3)]
    for where in DISTANCES:
        assert variance(rules, *where) == pytest.approx(0, abs=1e-15)
    assert expected_variance(4, 4, 3, s=2) == 0
    assert expected_variance(4, 64, 5) == 0


@pytest.mark.parametrize("where", [(0, 0, 2), (1, 2, 1), (0, 1, 4), (-1, 1, 1)])
def test_levels_that_are_not_below_the_ancestor_are_refused(where):
    rules = [binary_rules(3, 2, rng(level)) for level in range(3)]
    with pytest.raises(ValueError, match="choose within the 3 levels"):
        variance(rules, *where)
