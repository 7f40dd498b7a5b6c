"""What the visible pixels of a Gaussian image tell of the masked ones and of latents.

For x ~ N(0, C), a mask that keeps the pixels v and removes the pixels m, and the
Cholesky factor L Lᵀ = C_vv, all answers are read off G = L⁻¹ C_vm and
H = L⁻¹ Cov(x_v, z): E[x_m | x_v] = Gᵀ L⁻¹ x_v, its error covariance C_mm - Gᵀ G, and
the R² of a latent of variance 1, which is the squared length of its column of H.

Masks are of pixels in the order of ``images.flatten(1)``; 0 = keep, 1 = remove. They
may keep different numbers of pixels. All is float64, on the covariance's device.

n masks that keep at most v of d pixels take O(n v² d) time and memory for about
2 n v (v + d) numbers, all at once; ``recoverable_r2`` has the latents' number in place
of d. Each call also takes O(d³) time to check C.

References:
    Anderson 2003, An Introduction to Multivariate Statistical Analysis, Section 2.5.
    Izenman 1975, reduced-rank regression, for ``best_code``.
"""

from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Float64, Int64
from torch import Tensor

from mae_bench.oracles import TOLERANCE, check_covariance

_NOTHING = 1e-12  # share of the variance below which a direction predicts nothing


class BestCode(NamedTuple):
    """The best code of k numbers for each mask: h = x A, x̂_m = h B.

    Directions that predict nothing of the masked part are 0, so a code wider than what
    the two parts share is no better than the part that matters. A's columns and B's
    rows run from the most useful one down; the first j of them solve rank j.

    Args:
        encoder: A, 0 at masked pixels; Cov(h) is diagonal.
        decoder: B, 0 at visible pixels; orthonormal rows.
        error: Mean squared error of a masked pixel.
        r2: R² in [0, 1] of every latent coordinate from h.
    """

    encoder: Float64[Tensor, "n d k"]
    decoder: Float64[Tensor, "n k d"]
    error: Float64[Tensor, " n"]
    r2: Float64[Tensor, "n z"]


class _Visible(NamedTuple):
    """The visible pixels of n masks, padded to the largest number of them."""

    ids: Int64[Tensor, "n v"]
    real: Bool[Tensor, "n v"]  # False where padded
    factor: Float64[Tensor, "n v v"]  # L, the identity where padded

    def whiten(self, columns: Float64[Tensor, "d t"]) -> Float64[Tensor, "n v t"]:
        """L⁻¹ of the visible rows; 0 where padded."""
        rows = columns[self.ids] * self.real[:, :, None]
        white: Tensor = torch.linalg.solve_triangular(self.factor, rows, upper=False)
        return white


def conditional_mean(
    covariance: Float64[Tensor, "d d"],
    x: Float[Tensor, "n d"],
    mask: Float[Tensor, "n d"],
) -> Float64[Tensor, "n d"]:
    """The images with E[x_m | x_v] in their masked pixels, whatever stood there.

    Args:
        covariance: C of the pixels, whose mean is 0.
        x: Images.
        mask: A mask of each image.

    Raises:
        ValueError: C is no covariance or singular, or a mask is not of 0 and 1, or
            leaves nothing visible or nothing masked.
    """
    removed = _check_mask(covariance, mask)
    visible = _condition(covariance, removed)
    x = x.double()
    seen = torch.where(visible.real, x.gather(1, visible.ids), 0.0)
    white = torch.linalg.solve_triangular(visible.factor, seen[:, :, None], upper=False)
    return torch.where(removed, (visible.whiten(covariance).mT @ white)[:, :, 0], x)


def bayes_error(
    covariance: Float64[Tensor, "d d"], mask: Float[Tensor, "*n d"]
) -> Float64[Tensor, "*n"]:
    """Mean squared error of a masked pixel, of the best guess there is.

    Args, Raises: As ``conditional_mean``; the mask may be a single one.

    >>> C = torch.tensor([[1.0, 0.6], [0.6, 1.0]]).double()
    >>> round(bayes_error(C, torch.tensor([0.0, 1.0])).item(), 6)
    0.64
    """
    removed = _check_mask(covariance, mask)
    explained = _condition(covariance, removed).whiten(covariance).square().sum(1)
    return _masked_mean(covariance.diag() - explained, removed).view(mask.shape[:-1])


def recoverable_r2(
    covariance: Float64[Tensor, "d d"],
    cross_covariance: Float64[Tensor, "k d"],
    mask: Float[Tensor, "*n d"],
) -> Float64[Tensor, "*n k"]:
    """R² in [0, 1] of every latent coordinate from the visible pixels.

    No encoder of the same pixels exceeds it; a mask of zeros gives the ceiling for
    whole images.

    Args:
        covariance: C of the pixels.
        cross_covariance: Cov(z, x) of latents of variance 1.
        mask: One mask or many.

    Raises:
        ValueError: As ``conditional_mean``, but nothing need be masked; or an R² above
            1, since the latents' variance is not 1.
    """
    removed = _check_mask(covariance, mask, may_be_whole=True)
    white = _condition(covariance, removed).whiten(cross_covariance.T)
    return _check_r2(white.square().sum(1)).view(*mask.shape[:-1], -1)


def best_code(
    covariance: Float64[Tensor, "d d"],
    cross_covariance: Float64[Tensor, "k d"],
    mask: Float[Tensor, "n d"],
    rank: int,
) -> BestCode:
    """The linear code of the visible pixels that predicts the masked ones best.

    Reduced-rank regression of x_m on x_v: with G = Q S Uᵀ, A_v = L⁻ᵀ Q_k S_k,
    B_m = U_kᵀ, and the R² of a latent is the squared length of Q_kᵀ H. It is unique up
    to an invertible change of code if singular values k and k+1 differ.

    Args:
        covariance: C of the pixels.
        cross_covariance: Cov(z, x) of latents of variance 1.
        mask: Each has a code of its own.
        rank: k, at most the number of visible and of masked pixels of every mask.

    Raises:
        ValueError: As ``conditional_mean``; an R² above 1, since the latents' variance
            is not 1; or a rank out of range.
    """
    removed = _check_mask(covariance, mask)
    masked, d = removed.sum(1), len(covariance)
    most = int(torch.minimum(masked, d - masked).min())
    if not 1 <= rank <= most:
        raise ValueError(f"rank is {rank}; choose in 1..{most} for these masks")
    visible = _condition(covariance, removed)
    gain = visible.whiten(covariance) * removed[:, None]
    Q, S, Ut = torch.linalg.svd(gain, full_matrices=False)
    Q, S, Ut = Q[:, :, :rank], S[:, :rank], Ut[:, :rank]
    share = S.square() / covariance.trace()  # of the variance, explained by each
    useful = share.gt(_NOTHING).double()

    weights = torch.linalg.solve_triangular(
        visible.factor.mT, Q * (S * useful)[:, None], upper=True
    )
    weights = weights * visible.real[:, :, None]
    encoder = torch.zeros(len(mask), d, rank, dtype=S.dtype, device=S.device)
    encoder.scatter_add_(1, visible.ids[:, :, None].expand_as(weights), weights)
    variance = torch.where(removed, covariance.diag(), 0.0).sum(1)
    error = (variance - S.square().sum(1)) / masked
    white = (Q * useful[:, None]).mT @ visible.whiten(cross_covariance.T)
    r2 = _check_r2(white.square().sum(1))
    decoder = Ut * useful[:, :, None] * removed[:, None]
    return BestCode(encoder, decoder, error, r2)


def _condition(covariance: Tensor, removed: Tensor) -> _Visible:
    """Cholesky factors of the visible blocks."""
    most = int((~removed).sum(1).max())
    ids = removed.int().argsort(dim=1, stable=True)[:, :most]
    real = ~removed.gather(1, ids)
    block = covariance[ids[:, :, None], ids[:, None, :]]
    both = real[:, :, None] & real[:, None, :]
    block = torch.where(both, block, 0.0) + torch.diag_embed((~real).double())
    factor, failed = torch.linalg.cholesky_ex(block)
    pivots = factor.diagonal(dim1=1, dim2=2).square() / covariance.diag().max()
    if failed.any() or (real & (pivots < TOLERANCE)).any():
        raise ValueError(
            "visible pixels are linearly dependent; add a little noise, such as "
            "C + 1e-6 I"
        )
    return _Visible(ids, real, factor)


def _masked_mean(values: Tensor, removed: Tensor) -> Tensor:
    return torch.where(removed, values, 0.0).sum(1) / removed.sum(1)


def _check_mask(
    covariance: Tensor, mask: Tensor, *, may_be_whole: bool = False
) -> Bool[Tensor, "n d"]:
    """The masks as booleans, True = removed, with their covariance checked too."""
    check_covariance(covariance)
    if not ((mask == 0) | (mask == 1)).all():
        raise ValueError("mask has values that are not 0 (keep) or 1 (remove)")
    removed = mask.flatten(0, -2).bool() if mask.ndim > 1 else mask[None].bool()
    if removed.all(1).any():
        raise ValueError("a mask leaves nothing visible; keep at least one pixel")
    if not may_be_whole and not removed.any(1).all():
        raise ValueError("a mask leaves nothing masked; remove at least one pixel")
    return removed


def _check_r2(r2: Tensor) -> Tensor:
    """R², with rounding errors cut off."""
    if r2.max() > 1 + 1e-6:
        raise ValueError(
            f"a latent has R² {r2.max():.3g}; scale cross_covariance to latents of "
            "variance 1"
        )
    return r2.clamp(max=1.0)
