"""Located latents against linear worlds, masks counted one by one, and drawn masks."""

import math
from itertools import combinations, product

import pytest
import torch

from mae_bench.oracles.located_latents import (
    level_table,
    locate,
    probability_in_c,
    probability_in_c_of_count,
    quadtree_c,
)

UNITS, RATIOS = (1, 2, 4), (0.1, 0.25, 0.5, 0.75, 0.9)
TREE = {
    "left": ["root"],
    "right": ["root"],
    "a": ["left"],
    "b": ["left"],
    "c": ["right"],
    "d": ["right"],
}


def random_dag(seed, latents=5, leaves=5):
    """Latents above latents, one to two parents each; leaves hang on latents."""
    draw = torch.Generator().manual_seed(seed)

    def some(names):
        count = min(len(names), int(torch.randint(1, 3, (), generator=draw)))
        order = torch.randperm(len(names), generator=draw)[:count]
        return [names[i] for i in order]

    names = [f"z{i}" for i in range(latents)]
    graph = {z: some(names[:i]) for i, z in enumerate(names) if i}
    return graph | {f"x{i}": some(names) for i in range(leaves)}


def linear_world(graph, seed):
    """Each node an invertible linear map of (parents, own noise): rows over noises."""
    draw = torch.Generator().manual_seed(seed)
    names = list(dict.fromkeys([p for v in graph.values() for p in v] + list(graph)))
    noise = dict(zip(names, torch.eye(len(names), dtype=torch.float64), strict=True))
    rows = {}

    def build(node):
        if node not in rows:
            above = [build(parent) for parent in graph.get(node, ())]
            stacked = torch.cat([*above, noise[node][None]])
            size = len(stacked)
            mix = torch.randn(size, size, generator=draw, dtype=torch.float64)
            rows[node] = (mix + 2 * torch.eye(size)) @ stacked
        return rows[node]

    return {name: build(name) for name in names}, noise


def rank(matrix):
    return int(torch.linalg.matrix_rank(matrix, rtol=1e-8))


def spans(one, other):
    """Whether the rows of both span the same space: each a function of the other."""
    return rank(one) == rank(other) == rank(torch.cat([one, other]))


def leaves_of(graph):
    return sorted(set(graph) - {p for parents in graph.values() for p in parents})


def masks_of(leaves):
    return [
        set(m) for size in range(1, len(leaves)) for m in combinations(leaves, size)
    ]


@pytest.mark.parametrize("seed", range(6))
def test_c_meets_the_three_conditions_in_linear_worlds(seed):
    graph = random_dag(seed)
    rows, noise = linear_world(graph, seed)
    leaves = leaves_of(graph)
    for mask in masks_of(leaves):
        found = locate(graph, mask)
        x_masked = torch.cat([rows[leaf] for leaf in sorted(mask)])
        x_visible = torch.cat([rows[leaf] for leaf in leaves if leaf not in mask])
        s_masked = torch.stack([noise[node] for node in sorted(found.s_masked)])
        c = torch.cat([rows[n] for n in sorted(found.c)] or [x_masked[:0]])
        assert spans(torch.cat([c, s_masked]), x_masked)
        assert rank(torch.cat([c, x_visible])) == rank(x_visible)
        assert (s_masked @ x_visible.T).abs().max() == 0
        # No smaller block can carry what the two sides share.
        assert rank(c) == rank(x_masked @ x_visible.T) == len(found.shared_ancestors)


@pytest.mark.parametrize("seed", range(6))
def test_a_mask_and_its_complement_share_the_same_latents(seed):
    graph = random_dag(seed)
    leaves = leaves_of(graph)
    for mask in masks_of(leaves):
        one, other = locate(graph, mask), locate(graph, set(leaves) - mask)
        assert one.c == other.c
        assert one.shared_ancestors == other.shared_ancestors
        assert not one.s_masked & other.s_masked


def test_an_aligned_mask_leaves_the_root_and_a_crossing_one_the_level_below():
    aligned = locate(TREE, {"a", "b"})
    assert aligned.c == {"root"}
    assert aligned.s_masked == {"left", "a", "b"}
    crossing = locate(TREE, {"a", "c"})
    assert crossing.c == {"left", "right"}
    assert crossing.s_masked == {"a", "c"}
    assert crossing.shared_ancestors == {"left", "right", "root"}


def test_a_shared_node_with_a_private_child_is_reached_through_its_sink():
    graph = {"z2": ["z1"], "a": ["z1"], "b": ["z2"], "v": ["z2"]}
    found = locate(graph, {"a", "b"})
    assert found.c == {"z2"}
    assert found.shared_ancestors == {"z1", "z2"}


def test_unrelated_leaves_share_nothing():
    graph = {"x": ["z"], "y": ["w"]}
    assert locate(graph, {"x"}) == (frozenset(), {"x", "z"}, frozenset())


@pytest.mark.parametrize(
    ("graph", "mask", "message"),
    [
        ({"a": ["b"], "b": ["a"]}, {"a"}, "cycle"),
        (TREE, {"a", "left"}, r"names \['left'\]"),
        (TREE, set(), "nothing masked"),
        (TREE, {"a", "b", "c", "d"}, "nothing visible"),
    ],
)
def test_a_graph_or_mask_without_an_answer_is_refused(graph, mask, message):
    with pytest.raises(ValueError, match=message):
        locate(graph, mask)


def quadtree(grid):
    graph = {}
    for level in range(grid.bit_length() - 1):
        side = grid >> level
        for i, j in product(range(side), repeat=2):
            parent = (i // 2) * (side // 2) + j // 2
            graph[f"{level}/{i * side + j}"] = [f"{level + 1}/{parent}"]
    return graph


def draw_masks(n, grid, unit, ratio, generator):
    """Exactly the nearest number of aligned blocks is masked, as in random_masking."""
    side = grid // unit
    order = torch.rand(n, side * side, generator=generator).argsort(1)
    blocks = (order < round(ratio * side * side)).long().reshape(n, side, side)
    return blocks.repeat_interleave(unit, 1).repeat_interleave(unit, 2)


def test_the_quadtree_agrees_with_the_graph_mask_by_mask():
    graph = quadtree(4)
    bits = torch.arange(1, 2**16 - 1, 97)
    masks = (bits[:, None] >> torch.arange(16)) & 1
    found = quadtree_c(masks.reshape(-1, 4, 4))
    for row, mask in enumerate(masks):
        slow = locate(graph, {f"0/{i}" for i in mask.nonzero()[:, 0].tolist()}).c
        fast = {
            f"{level}/{i}"
            for level, flags in found.items()
            for i in flags[row].nonzero()[:, 0].tolist()
        }
        assert fast == slow


def test_the_quadtree_of_a_mask_and_its_complement_agree():
    masks = draw_masks(50, 16, 1, 0.25, torch.Generator().manual_seed(0))
    one, other = quadtree_c(masks), quadtree_c(1 - masks)
    assert list(one) == [1, 2, 3, 4]
    assert [flags.shape[1] for flags in one.values()] == [64, 16, 4, 1]
    assert all((one[level] == other[level]).all() for level in one)


def test_a_full_or_empty_mask_of_a_quadtree_shares_nothing():
    masks = torch.stack([torch.zeros(8, 8), torch.ones(8, 8)]).long()
    assert not any(flags.any() for flags in quadtree_c(masks).values())


@pytest.mark.parametrize(
    ("mask", "message"),
    [(torch.zeros(1, 6, 6), "side is 6"), (torch.full((1, 4, 4), 2), "other than 0")],
)
def test_a_mask_that_is_none_is_refused(mask, message):
    with pytest.raises(ValueError, match=message):
        quadtree_c(mask.long())


@pytest.mark.parametrize("ratio", [0.1, 0.5, 0.75])
@pytest.mark.parametrize(("branching", "below"), [(1, 3), (2, 3), (4, 1), (4, 2)])
def test_the_probability_is_the_sum_over_every_mask(ratio, branching, below):
    exact = 0.0
    for mask in product((0, 1), repeat=branching * below):
        children = {
            sum(mask[i : i + below]) / below for i in range(0, len(mask), below)
        }
        odds = ratio ** sum(mask) * (1 - ratio) ** (len(mask) - sum(mask))
        exact += odds * (children == {0.0, 1.0})
    assert probability_in_c(ratio, branching, below) == pytest.approx(exact)
    flipped = probability_in_c(1 - ratio, branching, below)
    assert flipped == pytest.approx(exact)


def test_the_lowest_level_has_the_short_formula():
    assert probability_in_c(0.3, 4, 1) == pytest.approx(1 - 0.3**4 - 0.7**4)


@pytest.mark.parametrize("n_masked", [0, 1, 3, 4, 7, 8])
@pytest.mark.parametrize(("branching", "below"), [(2, 1), (2, 2), (4, 1), (4, 2)])
def test_the_probability_of_a_count_is_the_share_of_masks(n_masked, branching, below):
    masks, found = list(combinations(range(8), n_masked)), 0
    for mask in masks:
        node = [i in mask for i in range(branching * below)]
        children = {
            sum(node[i : i + below]) / below for i in range(0, len(node), below)
        }
        found += children == {0.0, 1.0}
    exact = probability_in_c_of_count(n_masked, 8, branching, below)
    assert exact == pytest.approx(found / len(masks))


def test_counted_masks_become_independent_ones_on_a_large_image():
    counted = probability_in_c_of_count(25_000, 100_000, 4, 4)
    assert counted == pytest.approx(probability_in_c(0.25, 4, 4), rel=1e-3)


DRAWN = {  # E|c| of 2000 drawn masks of 16 x 16, at RATIOS
    1: (22.4, 43.6, 56.2, 43.7, 22.4),
    2: (5.30, 11.05, 14.21, 11.06, 5.34),
    4: (1.79, 2.90, 3.70, 2.91, 1.81),
}


def test_the_mask_unit_sets_the_level_and_the_ratio_only_the_number():
    table = level_table(16, UNITS, RATIOS)
    assert [(row.unit, row.ratio) for row in table] == list(product(UNITS, RATIOS))
    for row in table:
        drawn = DRAWN[row.unit][RATIOS.index(row.ratio)]
        assert row.expected_size == pytest.approx(drawn, rel=0.01)
        assert row.mean_level == pytest.approx(1 + math.log2(row.unit), abs=1e-3)
    assert [round(row.expected_size, 2) for row in table] == [
        *(22.41, 43.68, 56.19, 43.68, 22.41),
        *(5.32, 11.06, 14.19, 11.06, 5.32),
        *(1.80, 2.91, 3.69, 2.91, 1.80),
    ]


def test_the_table_is_symmetric_in_the_ratio():
    low = level_table(16, UNITS, (0.1, 0.25))
    high = level_table(16, UNITS, (0.9, 0.75))
    assert [row[2:] for row in low] == [row[2:] for row in high]


@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.parametrize("ratio", RATIOS)
def test_drawn_masks_have_the_tables_mean(unit, ratio):
    n = 2000
    masks = draw_masks(n, 16, unit, ratio, torch.Generator().manual_seed(1))
    found = quadtree_c(masks)
    sizes = sum(flags.sum(1).double() for flags in found.values())
    levels = sum(level * flags.sum(1).double() for level, flags in found.items())
    (row,) = level_table(16, (unit,), (ratio,))
    four_sigma = 4 * sizes.std().item() / n**0.5
    assert sizes.mean().item() == pytest.approx(row.expected_size, abs=four_sigma)
    drawn_level = (levels.sum() / sizes.sum()).item()
    assert drawn_level == pytest.approx(row.mean_level, abs=2e-3)


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda: probability_in_c(1.0, 4, 1), "mask_ratio is 1.0"),
        (lambda: probability_in_c(0.5, 0, 1), "branching is 0"),
        (lambda: probability_in_c_of_count(9, 8, 2, 1), "n_masked is 9"),
        (lambda: probability_in_c_of_count(4, 8, 4, 4), "n_leaves is 8"),
        (lambda: level_table(16, (16,), (0.5,)), "unit is 16"),
        (lambda: level_table(16, (3,), (0.5,)), "side is 3"),
        (lambda: level_table(12, (1,), (0.5,)), "side is 12"),
        (lambda: level_table(16, (1,), (0.0,)), "mask_ratio is 0.0"),
        (lambda: level_table(4, (2,), (0.1,)), "masks 0 of 4"),
    ],
)
def test_a_value_out_of_range_is_named(ask, message):
    with pytest.raises(ValueError, match=message):
        ask()
