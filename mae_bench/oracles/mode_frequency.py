"""What worlds of two modes look like from nowhere, and what visible pixels tell of it.

With nothing visible the best guess of an image is its mean, w μ+ + (1 - w) μ-. So a
guess y of unseen images says which weight its author takes for granted,

    λ = <y - μ-, μ+ - μ-> / |μ+ - μ-|²,

the w of the mean that is nearest to y on the line through the modes' own means. The
modes of a hierarchy are the first symbol at the root, and all others together.

References:
    Cai & Shi 2026, arXiv 2608.01383: the witness q_λ; this read-out is ours.
"""

import math

import torch
from jaxtyping import Float, Float64
from scipy.special import logit
from torch import Tensor

from mae_bench.datasets import Dataset
from mae_bench.datasets.ising_phases import IsingPhases
from mae_bench.datasets.random_hierarchy import paint
from mae_bench.datasets.skewed_hierarchy import SkewedHierarchy
from mae_bench.datasets.two_modes import TwoModes
from mae_bench.oracles.belief_propagation import (
    posteriors,
    propagate,
    reconstruction,
)
from mae_bench.oracles.ceilings import leaf_mask

Bimodal = IsingPhases | SkewedHierarchy | TwoModes


def mode_means(world: Bimodal) -> Float64[Tensor, "2 1 h w"]:
    """μ+ and μ-, the mean image of each mode.

    Of magnets it is taken from the chains that training images are copies of.
    """
    if isinstance(world, SkewedHierarchy):
        return torch.stack([_mean(world, law) for law in _laws(world)])
    level = world.theta if isinstance(world, TwoModes) else world.magnetisation()
    signs = torch.tensor([level, -level], dtype=torch.float64)
    side = world.image_size
    return signs.view(2, 1, 1, 1).expand(2, 1, side, side)


def implied_weight(
    unseen: Float[Tensor, "1 h w"], means: Float[Tensor, "2 1 h w"]
) -> float:
    """λ of a guess of an image of which nothing is visible; w of the best guess.

    >>> means = torch.tensor([1.0, -1.0]).view(2, 1, 1, 1)
    >>> implied_weight(torch.full((1, 1, 1), 0.5), means)
    0.75
    """
    plus, minus = means.double()
    way = plus - minus
    return float(((unseen.double() - minus) * way).sum() / way.square().sum())


def mode_posterior(
    world: Dataset, images: Float[Tensor, "n 1 h w"], mask: Float[Tensor, "n d"]
) -> Float64[Tensor, " n"] | None:
    """P(mode + | visible pixels) of each image; None where no sum gives it.

    Args:
        world: The images' own.
        images: What is masked does not matter.
        mask: Of pixels; 0 = keep, 1 = remove.
    """
    if isinstance(world, TwoModes):
        seen = (images.flatten(1).sign() * (1 - mask)).sum(1).double()
        odds = float(logit(world.weight)) + 2 * math.atanh(world.theta) * seen
        return odds.sigmoid()
    if not isinstance(world, SkewedHierarchy):
        return None
    leaves = leaf_mask(world, mask)
    if leaves is None:
        return None
    return posteriors(world, images, leaves)["level_0"][:, 0, 0]


def least_error(
    world: Dataset, images: Float[Tensor, "n 1 h w"], mask: Float[Tensor, "n d"]
) -> float | None:
    """Mean squared error of a masked pixel, of Bayes' guess; None where not known.

    Args:
        world: The images' own.
        images: Whole ones.
        mask: Of pixels, as many in each image; 0 = keep, 1 = remove.
    """
    if isinstance(world, SkewedHierarchy):
        leaves = leaf_mask(world, mask)
        if leaves is None:
            return None
        return float(reconstruction(world, images, leaves).error.mean())
    posterior = mode_posterior(world, images, mask)
    if posterior is None or not isinstance(world, TwoModes):
        return None
    guess = world.theta * (2 * posterior - 1)
    squares = (images.flatten(1).double() - guess[:, None]).square()
    return float(squares[mask == 1].mean())


def _laws(world: SkewedHierarchy) -> Float64[Tensor, "2 v"]:
    """P(root | mode)."""
    law = torch.ones(2, world.symbols, dtype=torch.float64)
    law[0, 1:] = law[1, 0] = 0
    return law / law.sum(1, keepdim=True)


def _mean(world: SkewedHierarchy, law: Tensor) -> Float64[Tensor, "1 h w"]:
    blank = torch.zeros(1, 4**world.depth, world.symbols, dtype=torch.float64)
    rules = [rule.cpu() for rule in world.rules]
    leaves = propagate(rules, blank, root=law)[f"level_{world.depth}"]
    textures = world.textures.cpu().double()
    return paint(torch.einsum("nlv,vpq->nlpq", leaves, textures))[0]
