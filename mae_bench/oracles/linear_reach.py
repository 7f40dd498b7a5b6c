"""How far the best linear MAE reaches, from second moments of pixels and masks alone.

K = E R Rᵀ and C, the covariance of the pixels, are all that it takes: nothing is
trained. A mask costs O(d²) time, a world O(d³), both O(d²) memory; each is computed
once.
"""

import math
from functools import cache

import torch
from jaxtyping import Float64
from torch import Tensor

from mae_bench.datasets import LinearGaussian
from mae_bench.oracles.forecasting import MANY, masks
from mae_bench.oracles.linear_mae import radius
from mae_bench.records import registry

WORLDS = 5
IMAGES = 20_000  # of a world whose covariance has no closed form


@cache
def linear_reach(
    world: str, mask_ratio: float, mask_unit: int, family: str = "random"
) -> float:
    """How far the best linear MAE of a world reaches, in pixels: its mean ``radius``.

    Of images x and what masks keep of them, x̃ = R ⊙ x, the map without a bottleneck
    is W = (E x̃ x̃ᵀ)⁻¹ E x̃ xᵀ = (K ⊙ C)⁻¹ diag(K) C, with C the covariance of the
    pixels and K = E R Rᵀ: of independent patches it is the paper's V⁻¹ C. Nothing but
    second moments of pixels and masks is looked at.

    Args:
        world: Id of a dataset, at its defaults, of one channel; several are drawn.
        mask_ratio: m.
        mask_unit: The paper's p, in pixels.
        family: Of the mask.

    References:
        Bisulco et al. 2025, arXiv 2508.15404, Theorem 1.
    """
    found = []
    for covariance in pixel_covariances(world):
        side = math.isqrt(len(covariance))
        kept = kept_moments(side, mask_ratio, mask_unit, family)
        found.append(radius(best_linear(covariance, kept)))
    return sum(found) / len(found)


def best_linear(
    covariance: Float64[Tensor, "d d"], kept: Float64[Tensor, "d d"]
) -> Float64[Tensor, "d d"]:
    """W of the least E ||x - (R ⊙ x) W||², given C and K."""
    cross = kept.diagonal()[:, None] * covariance
    inverse: Tensor = torch.linalg.pinv(kept * covariance, hermitian=True)
    return inverse @ cross


@cache
def kept_moments(
    image_size: int, mask_ratio: float, mask_unit: int, family: str
) -> Float64[Tensor, "d d"]:
    """K = E R Rᵀ of many masks: how often two pixels are both visible."""
    mask = masks(image_size, mask_ratio, mask_unit, n=MANY, family=family)
    keep = 1 - mask.double()
    return keep.T @ keep / len(keep)


@cache
def pixel_covariances(world: str) -> tuple[Float64[Tensor, "d d"], ...]:
    """Of a few worlds: exact where there is a closed form, else of training images."""
    found = []
    for seed in range(WORLDS):
        stream = torch.Generator().manual_seed(seed)
        drawn = registry.load("datasets", world)(stream)
        if isinstance(drawn, LinearGaussian):
            found.append(drawn.covariance())
        else:
            images = drawn.split("train", IMAGES, stream).images
            found.append(torch.cov(images.flatten(1).double().T))
    return tuple(found)
