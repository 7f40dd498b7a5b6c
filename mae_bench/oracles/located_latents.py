"""Which latents a mask leaves for the encoder to identify: Theorem 1 on trees and DAGs.

Every mechanism is invertible, so a node's ancestors are functions of it. What the
visible and the masked leaves share is then carried by the shared ancestors that have
no shared child: these are c(m). The operational reading is this benchmark's, worked
out from the theorem's three conditions; the paper's own algorithm is not public.

On a quadtree the level of a node is counted from the pixels: 1 = parents of 2 x 2
leaves, log2(grid) = the root. Masks: 0 = keep, 1 = remove.

``locate`` takes O(E a) time and memory for E edges and at most a ancestors of a node;
``quadtree_c`` O(n g²) for n masks of g x g leaves; a row of ``level_table`` of n blocks
nearly O(n²) time, since its binomials are exact integers of up to n bits.

References:
    Kong et al. 2023, arXiv 2306.04898, Theorem 1.
"""

from collections.abc import Collection, Mapping, Sequence
from graphlib import CycleError, TopologicalSorter
from math import comb
from typing import NamedTuple

import torch
from jaxtyping import Bool, Int
from torch import Tensor

Graph = Mapping[str, Collection[str]]  # node -> its parents; leaves are observed
_CHILDREN = 4  # of a quadtree's node


class Located(NamedTuple):
    """What a mask m makes of the nodes of a graph.

    Args:
        c: Sinks among the shared ancestors; equal for m and its complement.
        s_masked: Nodes whose exogenous terms reach masked leaves only, the masked
            leaves' own included.
        shared_ancestors: Ancestors of both a masked and a visible leaf: the
            functions of c.
    """

    c: frozenset[str]
    s_masked: frozenset[str]
    shared_ancestors: frozenset[str]


class LevelRow(NamedTuple):
    """What uniform random masks of a quadtree share, on average.

    Args:
        unit: Side of a masked block, in leaves.
        ratio: Share of the blocks that is masked, before rounding.
        expected_size: E|c|.
        mean_level: Expected sum of the levels in c over E|c|.
    """

    unit: int
    ratio: float
    expected_size: float
    mean_level: float


def locate(graph: Graph, mask: Collection[str]) -> Located:
    """c(m), s_m and the shared ancestors of a mask.

    Args:
        graph: Node -> parents, acyclic; nodes without children are the observed
            leaves. Parents that are no key have no parents.
        mask: The masked leaves, at least one and not all of them.

    Raises:
        ValueError: On a cycle, an unknown leaf, nothing masked or nothing visible.

    >>> tree = {"a": ["root"], "b": ["root"]}
    >>> sorted(locate(tree, {"a"}).c)
    ['root']
    """
    ancestry = _ancestry(graph)
    parents = {parent for node in graph for parent in graph[node]}
    leaves = ancestry.keys() - parents
    masked = frozenset(mask)
    if unknown := masked - leaves:
        raise ValueError(f"mask names {sorted(unknown)}; leaves are {sorted(leaves)}")
    if not masked or masked == leaves:
        state = "nothing masked" if not masked else "nothing visible"
        raise ValueError(f"the mask leaves {state}; mask some leaves and not all")
    reaches_masked = frozenset[str]().union(*(ancestry[leaf] for leaf in masked))
    reaches_visible = frozenset[str]().union(
        *(ancestry[leaf] for leaf in leaves - masked)
    )
    shared = reaches_masked & reaches_visible
    inner = {parent for node in shared for parent in graph.get(node, ())}
    return Located(shared - inner, reaches_masked - reaches_visible, shared)


def quadtree_c(mask: Int[Tensor, "n g g"]) -> dict[int, Bool[Tensor, "n nodes"]]:
    """Level -> whether each of its nodes (row by row) is in c(m), for many masks.

    A mask that removes everything, or nothing, shares nothing: no node is in its c.

    Args:
        mask: 0 = keep, 1 = remove; the grid's side g is a power of two, at least 2.

    Raises:
        ValueError: If g is not a power of two, or an entry is not 0 or 1.
    """
    depth = _depth(mask.shape[-1])
    if not ((mask == 0) | (mask == 1)).all():
        raise ValueError("mask has entries other than 0 (keep) and 1 (remove)")
    masked, visible = mask == 1, mask == 0
    shared_child = torch.zeros_like(masked)
    located = {}
    for level in range(1, depth + 1):
        masked, visible = _any_child(masked), _any_child(visible)
        shared = masked & visible
        located[level] = (shared & ~_any_child(shared_child)).flatten(1)
        shared_child = shared
    return located


def probability_in_c(
    mask_ratio: float, branching: int, leaves_below_child: int
) -> float:
    """P(node in c) when every leaf is masked by itself with probability r.

    (r^n' + (1-r)^n')^b - r^(b n') - (1-r)^(b n'): every child lies wholly on one
    side, and not all on the same. It is symmetric under r <-> 1-r.

    Args:
        mask_ratio: r, in (0, 1).
        branching: b, children of the node, at least 1.
        leaves_below_child: n', masked blocks below each child, at least 1.

    Raises:
        ValueError: If an argument is outside its range.

    >>> probability_in_c(0.5, branching=2, leaves_below_child=1)
    0.5
    """
    _check_ratio(mask_ratio)
    _check_tree(branching, leaves_below_child)
    b, r = branching, mask_ratio
    masked, visible = r**leaves_below_child, (1 - r) ** leaves_below_child
    return float((masked + visible) ** b - masked**b - visible**b)


def probability_in_c_of_count(
    n_masked: int, n_leaves: int, branching: int, leaves_below_child: int
) -> float:
    """P(node in c) when exactly ``n_masked`` of the ``n_leaves`` blocks are masked.

    Σ_{0<j<b} binom(b, j) binom(n - b n', n_masked - j n') / binom(n, n_masked), with j
    children wholly masked: what ``random_masking`` draws.

    Raises:
        ValueError: If an argument is outside its range.
    """
    _check_tree(branching, leaves_below_child)
    if not 0 <= n_masked <= n_leaves:
        raise ValueError(f"n_masked is {n_masked}; give a number in 0..{n_leaves}")
    elsewhere = n_leaves - branching * leaves_below_child
    if elsewhere < 0:
        raise ValueError(f"n_leaves is {n_leaves}; the node alone has more below it")
    ways = sum(
        comb(branching, j) * comb(elsewhere, n_masked - j * leaves_below_child)
        for j in range(1, branching)
        if j * leaves_below_child <= n_masked
    )
    return ways / comb(n_leaves, n_masked)


def level_table(
    grid: int, units: Sequence[int], ratios: Sequence[float]
) -> tuple[LevelRow, ...]:
    """E|c| and mean level of c for uniform random masks of aligned blocks, exactly.

    The level follows from the mask unit alone; the ratio only sets how many nodes.

    Args:
        grid: Side of the leaves' grid, a power of two.
        units: Sides of the masked blocks, in leaves: powers of two below ``grid``.
        ratios: In (0, 1); the nearest number of blocks is masked.

    Returns:
        One row a unit and ratio, in this order.

    Raises:
        ValueError: If an argument is outside its range, or a ratio masks no block
            or all of them.
    """
    depth = _depth(grid)
    return tuple(_level_row(depth, u, r) for u in units for r in ratios)


def _level_row(depth: int, unit: int, ratio: float) -> LevelRow:
    _check_ratio(ratio)
    base = _depth(unit) if unit != 1 else 0
    if base >= depth:
        raise ValueError(f"unit is {unit}; give one below the grid's side {2**depth}")
    n = _CHILDREN ** (depth - base)
    n_masked = round(ratio * n)
    if n_masked in (0, n):
        raise ValueError(f"ratio {ratio} masks {n_masked} of {n} blocks; move it")
    size = {
        level: _CHILDREN ** (depth - level)
        * probability_in_c_of_count(
            n_masked, n, _CHILDREN, _CHILDREN ** (level - base - 1)
        )
        for level in range(base + 1, depth + 1)
    }
    total = sum(size.values())
    return LevelRow(unit, ratio, total, sum(k * size[k] for k in size) / total)


def _ancestry(graph: Graph) -> dict[str, frozenset[str]]:
    """Node -> itself and all that it descends from."""
    ancestry: dict[str, frozenset[str]] = {}
    try:
        for node in TopologicalSorter(graph).static_order():
            above = (ancestry[parent] for parent in graph.get(node, ()))
            ancestry[node] = frozenset({node}).union(*above)
    except CycleError as error:
        raise ValueError(
            f"graph has the cycle {' -> '.join(error.args[1])}; remove an edge"
        ) from error
    return ancestry


def _any_child(flags: Tensor) -> Tensor:
    """Of each block of 2 x 2, whether any is set."""
    rows = flags[:, 0::2] | flags[:, 1::2]
    return rows[:, :, 0::2] | rows[:, :, 1::2]


def _depth(side: int) -> int:
    if side < 2 or side & (side - 1):
        raise ValueError(f"side is {side}; give a power of two, at least 2")
    return side.bit_length() - 1


def _check_ratio(mask_ratio: float) -> None:
    if not 0 < mask_ratio < 1:
        raise ValueError(f"mask_ratio is {mask_ratio}; give a number in (0, 1)")


def _check_tree(branching: int, leaves_below_child: int) -> None:
    if branching < 1 or leaves_below_child < 1:
        raise ValueError(
            f"branching is {branching} and leaves_below_child {leaves_below_child}; "
            "give at least 1"
        )
