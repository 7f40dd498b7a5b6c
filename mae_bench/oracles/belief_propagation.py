"""What the visible leaves of a random hierarchy tell of its symbols and masked pixels.

The symbols form a tree, so their exact posteriors take one pass up and one down. Up,
with λ(p) = log P(visible pixels below a node | its symbol p):
λ(p) = log (1/m) Σ_r exp Σ_k λ_k(child k of production r of p). Down, the posterior of
a production is its node's, shared among the productions of p by their terms in that
sum; and a child has the posterior of the productions that spell it.

``cut`` = l severs level l from the levels above: its nodes are drawn independently,
each from its own true marginal. What that loses in reconstruction is what only the
levels above l can tell.

Masks are of leaves in raster order; 0 = keep, 1 = remove. All is float64, on the
images' device. n images of l leaves with p² pixels, v symbols and m productions a
symbol take O(n l v (v m + p²)) time and memory for about 2 n l v m numbers at the peak;
all images are taken at once.
"""

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import torch
from jaxtyping import Float, Float64, Int64
from torch import Tensor
from torch.nn.functional import one_hot

from mae_bench.datasets.random_hierarchy import (
    RandomHierarchy,
    paint,
    to_children,
    to_raster,
)

Posteriors = dict[str, Float64[Tensor, "n _ v"]]


class Reconstruction(NamedTuple):
    """The best guess of the masked pixels.

    Args:
        images: Posterior mean in the masked pixels, the images' own elsewhere.
        error: Mean squared error of a masked pixel, noise included, of each image.
    """

    images: Float64[Tensor, "n 1 h w"]
    error: Float64[Tensor, " n"]


def posteriors(
    world: RandomHierarchy,
    images: Float[Tensor, "n 1 h w"],
    mask: Float[Tensor, "#n leaves"],
    *,
    cut: int | None = None,
) -> Posteriors:
    """Level -> P(symbol | visible pixels) of its nodes.

    Args:
        world: The images' own.
        images: What stands in masked leaves does not matter.
        mask: Of each image, or one for all.
        cut: A level in 1..depth that is severed from above.

    Raises:
        ValueError: A mask that is not of 0 and 1 or not of this world's leaves, or a
            cut out of range.
    """
    rules = [rule.to(images.device) for rule in world.rules]
    seen = leaf_log_likelihood(world, images, mask)
    return propagate(rules, seen, cut=cut, root=world.root_law)


def leaf_log_likelihood(
    world: RandomHierarchy,
    images: Float[Tensor, "n 1 h w"],
    mask: Float[Tensor, "#n leaves"],
) -> Float64[Tensor, "n leaves v"]:
    """Of each leaf log N(x; t_symbol, σ²), but for a constant; 0 where masked.

    Raises:
        ValueError: As ``posteriors``.
    """
    _check_mask(world, mask)
    squares = _squares(world, images)
    textures = world.textures.to(images.device).double().flatten(1)
    match = squares @ textures.T - textures.square().sum(1) / 2
    return torch.where(mask[:, :, None] == 1, 0.0, match / world.noise**2)


def propagate(
    rules: Sequence[Int64[Tensor, "v _ 4"]],
    log_likelihood: Float64[Tensor, "n leaves v"],
    *,
    cut: int | None = None,
    root: Float[Tensor, " v"] | None = None,
) -> Posteriors:
    """Level -> posteriors of its nodes, from what is seen of each leaf.

    Keeps n * leaves * v * m / 4 numbers of the leaves' parents until it comes back
    down, a fourth of that of their parents, and so on.

    Args:
        rules: Of each level above the leaves, root first.
        log_likelihood: Of each leaf's symbols, finite.
        cut: As ``posteriors``.
        root: Probability of each symbol at the root; equal if None.

    Raises:
        ValueError: A cut out of range.
    """
    depth = len(rules)
    if cut is not None and not 1 <= cut <= depth:
        raise ValueError(f"cut is {cut}; choose a level in 1..{depth}, or None")
    message, messages = log_likelihood, [log_likelihood]
    terms: list[Tensor] = []
    for rule in reversed(rules):
        terms.insert(0, _terms(rule, message))
        message = terms[0].logsumexp(-1) - math.log(rule.shape[1])
        messages.insert(0, message)
    if cut is None:
        if root is not None:
            message = message + root.to(message).log()
        beliefs = _descend(rules, terms, message.softmax(-1))
    else:
        blank = torch.zeros_like(log_likelihood[:1])
        unseen = propagate(rules, blank, root=root).values()
        prior = [p.expand(len(log_likelihood), -1, -1) for p in unseen]
        severed = (messages[cut] + prior[cut].log()).softmax(-1)
        beliefs = prior[:cut] + _descend(rules[cut:], terms[cut:], severed)
    return {f"level_{level}": belief for level, belief in enumerate(beliefs)}


def marginals(world: RandomHierarchy) -> Posteriors:
    """Level -> P(symbol) of its nodes, with n = 1: what is known of an unseen image."""
    like = torch.zeros(1, 4**world.depth, world.symbols, dtype=torch.float64)
    like = like.to(world.textures.device)
    return propagate(world.rules, like, root=world.root_law)


def bayes_accuracy(
    beliefs: Mapping[str, Float[Tensor, "n _ v"]],
    latents: Mapping[str, Float[Tensor, "n _"]],
) -> dict[str, float]:
    """Level -> share of nodes whose most probable symbol is theirs, in [0, 1].

    Args:
        beliefs: Posteriors of images.
        latents: The same images' one-hot symbols.

    >>> bayes_accuracy(
    ...     {"level_0": torch.tensor([[[0.2, 0.8]]])}, {"level_0": torch.eye(2)[1:]}
    ... )
    {'level_0': 1.0}
    """
    return {
        level: latents[level]
        .view(belief.shape)
        .gather(2, belief.argmax(2, keepdim=True))
        .double()
        .mean()
        .item()
        for level, belief in beliefs.items()
    }


def reconstruction(
    world: RandomHierarchy,
    images: Float[Tensor, "n 1 h w"],
    mask: Float[Tensor, "#n leaves"],
    *,
    cut: int | None = None,
) -> Reconstruction:
    """E[x_m | x_v], and how far the images are from it.

    Args:
        world: The images' own.
        images: Whole ones.
        mask: Of each image, or one for all.
        cut: As ``posteriors``.

    Raises:
        ValueError: As ``posteriors``; or a mask removes nothing.
    """
    if not mask.any(1).all():
        raise ValueError("a mask leaves nothing masked; remove at least one leaf")
    leaves = posteriors(world, images, mask, cut=cut)[f"level_{world.depth}"]
    squares, p = _squares(world, images), world.textures.shape[1]
    guess = leaves @ world.textures.to(images.device).double().flatten(1)
    mended = torch.where(mask[:, :, None] == 1, guess, squares)
    # Visible pixels are exact and add nothing.
    error = (mended - squares).square().sum((1, 2)) / (mask.double().sum(1) * p**2)
    return Reconstruction(paint(mended.view(*mended.shape[:2], p, p)), error)


def explained_variance(world: RandomHierarchy, error: float) -> float:
    """1 - (error - σ²) / Var(texture): 0 for the mean image, 1 for all but the noise.

    Args:
        world: Where the error was measured.
        error: Mean squared error of a masked pixel, under masks that remove each leaf
            as often.
    """
    leaves = marginals(world)[f"level_{world.depth}"][0]
    textures = world.textures.to(leaves.device).double().flatten(1)
    square = leaves @ textures.square().mean(1)
    variance = square - (leaves @ textures).square().mean(1)
    return 1 - (error - world.noise**2) / variance.mean().item()


def _terms(rule: Tensor, below: Tensor) -> Float64[Tensor, "n nodes v m"]:
    """Σ_k λ_k of each production."""
    children = to_children(below)
    return torch.stack([children[:, :, k][:, :, rule[:, :, k]] for k in range(4)]).sum(
        0
    )


def _descend(
    rules: Sequence[Tensor], terms: Sequence[Tensor], top: Tensor
) -> list[Float64[Tensor, "n _ v"]]:
    """Posteriors of all levels from those of the highest."""
    beliefs = [top]
    for rule, term in zip(rules, terms, strict=True):
        v = len(rule)
        production = term.softmax(-1) * beliefs[-1][..., None]
        spelt = one_hot(rule.flatten(0, 1), v).double().flatten(1)  # [v m, 4 v]
        children = production.flatten(2) @ spelt
        beliefs.append(to_raster(children.view(*children.shape[:2], 4, v)))
    return beliefs


def _squares(world: RandomHierarchy, images: Tensor) -> Float64[Tensor, "n leaves p2"]:
    side, p = 2**world.depth, world.textures.shape[1]
    rows = images.double().view(-1, side, p, side, p).transpose(2, 3)
    return rows.reshape(-1, side * side, p * p)


def _check_mask(world: RandomHierarchy, mask: Tensor) -> None:
    leaves = 4**world.depth
    if mask.shape[1] != leaves:
        raise ValueError(f"mask has {mask.shape[1]} leaves; give this world's {leaves}")
    if not ((mask == 0) | (mask == 1)).all():
        raise ValueError("mask has entries other than 0 (keep) and 1 (remove)")
