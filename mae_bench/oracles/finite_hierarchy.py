"""Every image of a small random hierarchy: a world that can be summed over."""

import math
from itertools import product
from typing import NamedTuple

import torch
from jaxtyping import Float, Float64, Int64
from torch import Tensor

from mae_bench.datasets.random_hierarchy import RandomHierarchy, paint, to_raster


class FiniteWorld(NamedTuple):
    """All images of a world, without their noise.

    Args:
        tokens: Symbols of the leaves, in raster order; no two rows are the same.
        probability: Of each image.
        labels: Symbol of the root.
    """

    tokens: Int64[Tensor, "n l"]
    probability: Float64[Tensor, " n"]
    labels: Int64[Tensor, " n"]


def finite_world(world: RandomHierarchy, *, most: int = 4096) -> FiniteWorld:
    """Every choice of root and productions, each as likely.

    No two symbols share a production, so no two choices give the same leaves. Time and
    memory are O(n l) for n images of l leaves; with v symbols and m_i productions on
    level i, n = v Π m_i^(4^i) grows doubly exponentially with depth.

    Args:
        world: Whose rules are followed.
        most: Images that may be listed.

    Raises:
        ValueError: There are more.
    """
    counts = [rule.shape[1] ** 4**level for level, rule in enumerate(world.rules)]
    n = world.symbols * math.prod(counts)
    if n > most:
        raise ValueError(f"the world has {n} images; at most {most} are listed")
    tokens = torch.arange(world.symbols)[:, None]
    labels = tokens[:, 0]
    for rule in world.rules:
        parents, m = tokens.shape[1], rule.shape[1]
        choices = torch.tensor(list(product(range(m), repeat=parents)))
        labels = labels.repeat_interleave(len(choices))
        parent = tokens.repeat_interleave(len(choices), 0)
        children = rule.cpu()[parent, choices.repeat(len(tokens), 1)]
        tokens = to_raster(children)
    share = torch.full((n,), 1 / n, dtype=torch.float64)
    return FiniteWorld(tokens, share, labels)


def images_of(
    world: RandomHierarchy, tokens: Int64[Tensor, "n l"]
) -> Float[Tensor, "n 1 h w"]:
    """The leaves' textures, without noise; 0 where a token is hidden (below 0)."""
    textures = world.textures.to(tokens.device)[tokens.clamp(min=0)]
    return paint(textures * (tokens >= 0)[..., None, None])
