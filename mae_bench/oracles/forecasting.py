"""What each theory's own formulas say of a mask, as one number: nothing is trained.

Masks have an exact count of masked units, at random unless a family is named; sizes are
in pixels. The numbers do not depend on the drawn world: the rotations of a Gaussian
tree cancel.

For n masks of d pixels ``graph_score`` takes O(n d³) time, n tail sums of
O(k r log k r) over r correlations, and O(n d²) memory; ``average_distance`` takes
O(n d) of both, ``shared_latents`` likewise, and ``root_share`` a row of
``level_table``. Each is computed once.
"""

import heapq
import math
from functools import cache

import torch
import torch.nn.functional as F
from jaxtyping import Float, Float64, Int64
from scipy.ndimage import distance_transform_edt
from torch import Tensor

from mae_bench.datasets.gaussian_tree import GaussianTree
from mae_bench.models.masking import patches_a_unit, random_masking, visible_units
from mae_bench.oracles.ceilings import pixel_mask
from mae_bench.oracles.gaussian_conditioning import recoverable_r2
from mae_bench.oracles.located_latents import level_table
from mae_bench.records.schema import Settings

MASKS = 200
MANY = 4000  # where a mask costs nothing
# Where fine-tuning is best: the middle of 10 to 20 pixels of an image of 192.
BEST_DISTANCE = math.sqrt(10 * 20) / 192


def mask_of(factors: Settings) -> tuple[float, int, str]:
    """Ratio, unit and family of the mask that a point of a grid names.

    >>> mask_of({"mask_ratio": 0.5, "mask_unit": 2, "patch_size": 1})
    (0.5, 2, 'random')
    """
    ratio, unit = float(factors["mask_ratio"] or 0), int(factors["mask_unit"] or 0)
    return ratio, unit, str(factors.get("mask_family", "random"))


def masks(
    image_size: int,
    mask_ratio: float,
    mask_unit: int,
    pixel: int = 1,
    n: int = MASKS,
    family: str = "random",
) -> Float[Tensor, "n d"]:
    """Masks of pixels (0 = keep, 1 = remove), always the same ones."""
    stream = torch.Generator().manual_seed(0)
    unit = patches_a_unit(mask_unit, pixel)
    grid = image_size // pixel
    drawn = random_masking(n, grid, mask_ratio, stream, family=family, unit=unit)
    return pixel_mask(drawn.mask, pixel, 1)


@cache
def root_share(depth: int, mask_ratio: float, unit: int) -> float:
    """1 / E|c(m)|: the root's share of the latents that the mask leaves shared.

    It is 1 if c is the root alone, and all nodes are as wide as the root: how little
    else an encoder that holds c has to find room for.

    Args:
        depth: Of the quadtree.
        mask_ratio: r.
        unit: Of the mask, in leaves.
    """
    (row,) = level_table(2**depth, (unit,), (mask_ratio,))
    return 1 / row.expected_size


@cache
def shared_latents(
    depth: int, mask_ratio: float, unit: int, family: str = "random"
) -> float:
    """Mean number of latents above the leaves that c(m) determines.

    They are c and its ancestors, which are the nodes with both masked and visible
    leaves below: the root, and what an encoder that holds c holds beside it. Of b of
    N blocks below a node, n of all masked at random, it is shared with probability
    1 - (binom(N - b, n) + binom(N - b, n - b)) / binom(N, n).

    Args:
        depth: Of the quadtree.
        mask_ratio: r.
        unit: Of the mask, in leaves.
        family: Of the mask; counted in many masks unless it is ``random``.

    References:
        Kong et al. 2023, arXiv 2306.04898, Theorem 1.
    """
    side = 2**depth // unit
    if family != "random":
        mask = masks(2**depth, mask_ratio, unit, n=MANY, family=family)
        share = mask.view(-1, 1, 2**depth, 2**depth)
        nodes = [F.avg_pool2d(share, 2**level) for level in range(1, depth + 1)]
        return sum(((n > 0) & (n < 1)).sum().item() for n in nodes) / len(mask)
    blocks = side**2
    masked = blocks - visible_units(blocks, mask_ratio)
    found = 0.0
    for level in range(1, side.bit_length()):
        below = 4**level
        ways = math.comb(blocks - below, masked)
        ways += math.comb(blocks - below, masked - below) if masked >= below else 0
        found += blocks // below * (1 - ways / math.comb(blocks, masked))
    return found


@cache
def graph_score(
    mask_ratio: float, mask_unit: int, k: int, family: str = "random"
) -> float:
    """-(T_k + α) of the default Gaussian tree, the mean over masks.

    Zhang et al. bound the error by c1 T_k + c2 α; c1 = c2 = 1 is this project's
    reading. Each mask is a graph of its own, since its parts know their places. For
    Gaussians with canonical correlations ρ_j between the parts the eigenvalues of A_aug
    are all the products Π ρ_j^(2 n_j), so T_k is known; α is the Bayes error of the
    orthant of the root's two coordinates from the visible part, for which they are
    known equally well and independently: 1 - (1/2 + asin(R) / π)².

    Args:
        mask_ratio: r.
        mask_unit: In pixels.
        k: Feature width.
        family: Of the mask.
    """
    world = GaussianTree(torch.Generator().manual_seed(0))
    covariance = world.covariance()
    mask = masks(world.image_size, mask_ratio, mask_unit, family=family)
    root = world.cross_covariance()["level_0"]
    r = recoverable_r2(covariance, root, mask).mean(1).sqrt()
    alpha = 1 - (0.5 + torch.asin(r) / math.pi).square()
    tails = [tail_sum(rho, k) for rho in canonical_correlations(covariance, mask)]
    return -(sum(tails) / len(tails) + alpha.mean().item())


@cache
def dependence_score(
    mask_ratio: float, mask_unit: int, family: str = "random"
) -> float:
    """-ε_CI² / β² of the default Gaussian tree and its root, the mean over masks.

    A root for the class is this project's reading; see ``dependence``.
    """
    world = GaussianTree(torch.Generator().manual_seed(0))
    covariance, root = world.covariance(), world.cross_covariance()["level_0"]
    mask = masks(world.image_size, mask_ratio, mask_unit, family=family)
    return -float(dependence(covariance, root, mask).mean())


def dependence(
    covariance: Float64[Tensor, "d d"],
    root: Float64[Tensor, "k d"],
    mask: Float[Tensor, "*n d"],
) -> Float64[Tensor, "*n"]:
    """ε_CI² / β²: what bounds the excess risk of a linear probe of E[x_m | x_v].

    With Gaussian y of unit variance ε_CI² = E ||E[x_m | x_v] - E[E[x_m | y] | x_v]||²
    is tr(B C_vv⁻¹ Bᵀ), B = Cov(x_m, x_v | y): what the visible part tells of the masked
    one beyond y. β is the least singular value of Cov(y, x_m).

    Args:
        covariance: C of the pixels.
        root: Cov(y, x).
        mask: 0 = keep, 1 = remove; all of them remove as many.

    Raises:
        ValueError: They do not.

    References:
        Lee et al. 2021, arXiv 2008.01064, approximate conditional independence.
    """
    v, m = _sides(mask)
    told = _block(covariance - root.T @ root, v, m)
    within = torch.linalg.solve(_block(covariance, v, v), told)
    epsilon = (told * within).sum((-2, -1))
    beta = torch.linalg.svdvals(root.T[m])[..., -1]
    found: Tensor = epsilon / beta.square()
    return found


def canonical_correlations(
    covariance: Float64[Tensor, "d d"], mask: Float[Tensor, "*n d"]
) -> Float64[Tensor, "*n r"]:
    """Between visible and masked pixels, the largest first.

    Args:
        covariance: C of the pixels.
        mask: 0 = keep, 1 = remove; all of them remove as many.

    Raises:
        ValueError: They do not.
    """
    v, m = _sides(mask)
    left, right = (torch.linalg.cholesky(_block(covariance, s, s)) for s in (v, m))
    cross = torch.linalg.solve_triangular(left, _block(covariance, v, m), upper=False)
    white = torch.linalg.solve_triangular(right, cross.mT, upper=False)
    rho: Tensor = torch.linalg.svdvals(white)
    return rho.clamp(0, 1 - 1e-9)


def _sides(
    mask: Float[Tensor, "*n d"],
) -> tuple[Int64[Tensor, "*n v"], Int64[Tensor, "*n m"]]:
    """Where the visible pixels are, and the masked ones."""
    least, most = (int(count) for count in mask.sum(-1).aminmax())
    if least != most:
        raise ValueError(
            f"masks that remove {least} to {most} pixels; give those of one count"
        )
    places, kept = mask.argsort(dim=-1, stable=True), mask.shape[-1] - most
    return places[..., :kept], places[..., kept:]


def _block(
    matrix: Float64[Tensor, "d d"],
    rows: Int64[Tensor, "*n a"],
    columns: Int64[Tensor, "*n b"],
) -> Float64[Tensor, "*n a b"]:
    return matrix[rows[..., :, None], columns[..., None, :]]


def tail_sum(rho: Float64[Tensor, " r"], k: int) -> float:
    """Σ λ_i² of all but the k largest λ = Π ρ_j^(2 n_j), n_j = 0, 1, ...

    All of them sum to Π 1 / (1 - ρ_j⁴). The largest come first from a heap in which
    every product is reached once, by raising the exponent of its last factor, or of
    a later one.
    """
    squares: list[float] = [r**4 for r in rho.tolist() if r > 1e-6]
    total = math.prod(1 / (1 - s) for s in squares)
    heap, found = [(-1.0, 0)], 0.0
    for _ in range(k):
        if not heap:
            break
        value, last = heapq.heappop(heap)
        found -= value
        for j in range(last, len(squares)):
            heapq.heappush(heap, (value * squares[j], j))
    return total - found


@cache
def average_distance(
    image_size: int, mask_ratio: float, mask_unit: int, family: str = "random"
) -> float:
    """Mean distance of a masked pixel to the nearest visible one, in pixels.

    References:
        Xie et al. 2022, arXiv 2111.09886 (SimMIM): AvgDist.
    """
    hidden = masks(image_size, mask_ratio, mask_unit, family=family)
    squares = hidden.view(-1, image_size, image_size).numpy()
    # Of each masked pixel to the nearest 0; of visible ones, 0.
    distance = sum(float(distance_transform_edt(square).sum()) for square in squares)
    return distance / float(hidden.sum())


def ridge(
    image_size: int, mask_ratio: float, mask_unit: int, family: str = "random"
) -> float:
    """Nearness of the average distance to SimMIM's best, scaled to the image: <= 0.

    -|log(distance / best)|; best is 0.074 of the image's side.
    """
    best = BEST_DISTANCE * image_size
    distance = average_distance(image_size, mask_ratio, mask_unit, family)
    return -abs(math.log(distance / best))
