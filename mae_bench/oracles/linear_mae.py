"""The best linear MAE in closed form, from the covariance of the pixels alone.

With C = E x xᵀ, patches kept with probability 1 - m, D = blkdiag_p(C) and
V = (1-m) C + m D, a masked image has E x̃ x̃ᵀ = (1-m) V and E x̃ xᵀ = (1-m) C, so that
the loss on all pixels is minimised at rank k by A B = V⁻¹ C U_k U_kᵀ, where U_k are
the top-k eigenvectors of C V⁻¹ C.

Pixels are in the order of ``images.flatten(1)``: channel, row, column. Everything is
float64; a singular C is served by pseudo-inverses (the range of C lies in V's).
Of d pixels every answer takes O(d³) time, whatever the rank, and O(d²) memory;
``solve_masked_only`` takes O(P d³) for P patches.

References:
    Bisulco et al. 2025, arXiv 2508.15404, Theorem 1.
    Balestriero & LeCun 2024, arXiv 2402.11337: the same problem, M2 = (1-m) V.
"""

import math
from typing import NamedTuple

import torch
from jaxtyping import Float64, Int64
from torch import Tensor

from mae_bench.oracles import check_covariance


class LinearMAE(NamedTuple):
    """A minimiser over linear autoencoders x̃ -> x̃ A B of rank k.

    Its first j < k columns of A and rows of B are the minimiser of rank j.

    Args:
        encoder: A = V⁻¹ C U_k.
        decoder: B = U_kᵀ; (A T⁻¹, T B) is as good for every invertible T.
        subspace: U_k, orthonormal columns; not unique where λ_k = λ_{k+1}, as it may
            be for square images, whose rows and columns are alike.
        eigenvalues: Of C V⁻¹ C, all of them, largest first.
        loss: Expected squared error of an image, summed over its pixels.
    """

    encoder: Float64[Tensor, "d k"]
    decoder: Float64[Tensor, "k d"]
    subspace: Float64[Tensor, "d k"]
    eigenvalues: Float64[Tensor, " d"]
    loss: float


class MaskedOnly(NamedTuple):
    """The minimiser, without a bottleneck, of the loss on masked pixels.

    Args:
        weights: W of x̃ -> x̃ W; a patch's own block is zero.
        loss: Expected squared error of an image, summed over its masked pixels.
    """

    weights: Float64[Tensor, "d d"]
    loss: float


def solve_all_pixels(
    covariance: Float64[Tensor, "d d"],
    mask_ratio: float,
    patch_size: int,
    rank: int | None = None,
    *,
    channels: int = 1,
) -> LinearMAE:
    """Minimiser of E ||x - (R ⊙ x) A B||² over rank k, and over the patch masks R.

    The loss is tr C - (1-m) Σ_{i<=k} λ_i(C V⁻¹ C).

    Args:
        covariance: C, symmetric and positive semi-definite.
        mask_ratio: m, in (0, 1); each patch is masked with this probability.
        patch_size: p, in pixels; divides the image's side.
        rank: k, in 1..d; d if None.
        channels: c of square images, d = c side².

    Raises:
        ValueError: If an argument is outside its range.
    """
    mixed = shrunk_covariance(covariance, mask_ratio, patch_size, channels=channels)
    return _reduced_rank(covariance, mixed, 1 - mask_ratio, rank)


def all_ranks_loss(
    covariance: Float64[Tensor, "d d"],
    mask_ratio: float,
    patch_size: int,
    *,
    channels: int = 1,
) -> Float64[Tensor, " ranks"]:
    """The least loss on all pixels at every rank 0..d; see ``solve_all_pixels``."""
    solution = solve_all_pixels(covariance, mask_ratio, patch_size, channels=channels)
    gains = (1 - mask_ratio) * solution.eigenvalues.cumsum(0)
    variance = covariance.trace()
    return torch.cat([variance[None], variance - gains])


def solve_denoising(
    covariance: Float64[Tensor, "d d"], sigma: float, rank: int | None = None
) -> LinearMAE:
    """Minimiser of E ||x - (x + σ ε) A B||², ε ~ N(0, I): V = C + σ² I.

    C and V commute, so U_k is the PCA subspace whatever σ.

    Raises:
        ValueError: If sigma is negative, or the covariance or rank is not valid.
    """
    check_covariance(covariance)
    if not sigma >= 0:
        raise ValueError(f"sigma is {sigma}; give a standard deviation >= 0")
    noise = sigma**2 * torch.eye(len(covariance)).to(covariance)
    return _reduced_rank(covariance, covariance + noise, 1.0, rank)


def solve_masked_only(
    covariance: Float64[Tensor, "d d"],
    mask_ratio: float,
    patch_size: int,
    *,
    channels: int = 1,
) -> MaskedOnly:
    """Minimiser of E ||(1-R) ⊙ (x - (R ⊙ x) W)||², with one map per output patch q.

    W_q = [(1-m) C_{-q,-q} + m D_{-q,-q}]⁻¹ C_{-q,q}, and the loss is
    m Σ_q tr(C_{q,q} - (1-m) C_{q,-q} W_q).

    Args, Raises: As ``solve_all_pixels``.
    """
    mixed = shrunk_covariance(covariance, mask_ratio, patch_size, channels=channels)
    patches = patch_index(len(covariance), patch_size, channels=channels)
    patches = patches.to(covariance.device)
    weights = torch.zeros_like(covariance)
    loss = covariance.trace()
    for q in range(int(patches.max()) + 1):
        own, rest = (patches == q).nonzero()[:, 0], (patches != q).nonzero()[:, 0]
        cross = covariance[rest[:, None], own]
        w_q = _pinv(mixed[rest[:, None], rest]) @ cross
        weights[rest[:, None], own] = w_q
        loss = loss - (1 - mask_ratio) * (cross * w_q).sum()
    return MaskedOnly(weights, mask_ratio * loss.item())


def all_pixels_loss(
    weights: Float64[Tensor, "d d"],
    covariance: Float64[Tensor, "d d"],
    mask_ratio: float,
    patch_size: int,
    *,
    channels: int = 1,
) -> Float64[Tensor, ""]:
    """E ||x - (R ⊙ x) W||² of any W: tr C - 2(1-m) tr(C W) + (1-m) tr(Wᵀ V W)."""
    mixed = shrunk_covariance(covariance, mask_ratio, patch_size, channels=channels)
    explained = 2 * (covariance * weights).sum() - (weights * (mixed @ weights)).sum()
    return covariance.trace() - (1 - mask_ratio) * explained


def shrunk_covariance(
    covariance: Float64[Tensor, "d d"],
    mask_ratio: float,
    patch_size: int,
    *,
    channels: int = 1,
) -> Float64[Tensor, "d d"]:
    """V = (1-m) C + m blkdiag_p(C): covariances across patches count for 1-m."""
    check_covariance(covariance)
    if not 0 < mask_ratio < 1:
        raise ValueError(f"mask_ratio is {mask_ratio}; give a number in (0, 1)")
    blocks = patch_blocks(covariance, patch_size, channels=channels)
    return (1 - mask_ratio) * covariance + mask_ratio * blocks


def patch_blocks(
    covariance: Float64[Tensor, "d d"], patch_size: int, *, channels: int = 1
) -> Float64[Tensor, "d d"]:
    """blkdiag_p(C): C within patches, 0 between them."""
    patches = patch_index(len(covariance), patch_size, channels=channels)
    patches = patches.to(covariance.device)
    return covariance * (patches[:, None] == patches)


def patch_index(
    dimension: int, patch_size: int, *, channels: int = 1
) -> Int64[Tensor, " d"]:
    """The patch of each pixel, numbered row by row; a patch has all channels.

    >>> patch_index(16, 2).reshape(4, 4).tolist()
    [[0, 0, 1, 1], [0, 0, 1, 1], [2, 2, 3, 3], [2, 2, 3, 3]]
    """
    side = _side(dimension, channels)
    if patch_size < 1 or side % patch_size:
        raise ValueError(f"patch_size is {patch_size}; give a divisor of side {side}")
    position = torch.arange(side) // patch_size
    grid = position[:, None] * (side // patch_size) + position
    return grid.flatten().repeat(channels)


def radius(weights: Float64[Tensor, "d d"], *, channels: int = 1) -> float:
    """Σ_ij |W_ij| d_ij / Σ_ij |W_ij|: how far W reaches, in pixels.

    NaN for W = 0, like ``out_of_patch_share``.
    """
    distance = _distances(len(weights), channels).to(weights.device)
    magnitude = weights.abs()
    return ((magnitude * distance).sum() / magnitude.sum()).item()


def out_of_patch_share(
    weights: Float64[Tensor, "d d"], patch_size: int, *, channels: int = 1
) -> float:
    """Share, in [0, 1], of Σ_ij |W_ij| that links pixels of different patches."""
    inside = patch_blocks(weights, patch_size, channels=channels).abs().sum()
    return (1 - inside / weights.abs().sum()).item()


def _reduced_rank(
    covariance: Tensor, mixed: Tensor, keep: float, rank: int | None
) -> LinearMAE:
    """Reduced-rank regression of x on x̃ with E x̃ x̃ᵀ = keep V, E x̃ xᵀ = keep C."""
    d = len(covariance)
    k = d if rank is None else rank
    if not 1 <= k <= d:
        raise ValueError(f"rank is {rank}; give an integer in 1..{d}")
    regression = _pinv(mixed) @ covariance
    gain = covariance @ regression
    eigenvalues, vectors = torch.linalg.eigh((gain + gain.T) / 2)
    eigenvalues, subspace = eigenvalues.flip(0), vectors.flip(1)[:, :k]
    loss = covariance.trace() - keep * eigenvalues[:k].sum()
    encoder = regression @ subspace
    return LinearMAE(encoder, subspace.T, subspace, eigenvalues, loss.item())


def _pinv(matrix: Tensor) -> Tensor:
    """Pseudo-inverse of a symmetric matrix."""
    inverse: Tensor = torch.linalg.pinv(matrix, hermitian=True)
    return inverse


def _side(dimension: int, channels: int) -> int:
    side = math.isqrt(dimension // channels) if channels >= 1 else 0
    if channels < 1 or channels * side**2 != dimension:
        raise ValueError(
            f"{dimension} pixels are not {channels} square channels; set channels"
        )
    return side


def _distances(dimension: int, channels: int) -> Tensor:
    """Euclidean distance between all pairs of pixels; 0 between channels of one."""
    axis = torch.arange(_side(dimension, channels), dtype=torch.float64)
    position = torch.cartesian_prod(axis, axis).repeat(channels, 1)
    return torch.cdist(position, position, compute_mode="donot_use_mm_for_euclid_dist")
