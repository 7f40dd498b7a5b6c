"""How far apart two subspaces are, whatever bases they are given by."""

import torch
from jaxtyping import Float64
from torch import Tensor

RANK_TOLERANCE = 1e-12  # singular values below, relative to the largest, are none


def principal_angle(
    U: Float64[Tensor, "d j"], V: Float64[Tensor, "d k"]
) -> Float64[Tensor, " angles"]:
    """Principal angles between the column spaces of U and V.

    The cosines are the singular values of Q_Uᵀ Q_V, with orthonormal bases Q. Where a
    cosine is near 1 its angle is taken from the sine, which keeps its digits.

    Args:
        U: Columns that span one subspace; linearly dependent ones are no more.
        V: Columns that span the other.

    Returns:
        As many angles as the smaller subspace has dimensions, in [0, π / 2] radians,
        largest first. All are 0 if one space holds the other. The mean of the squared
        cosines is the overlap |Q_Uᵀ Q_V|² / k.

    Raises:
        ValueError: A matrix that is zero or not finite.

    References:
        Björck & Golub 1973; Knyazev & Argentati 2002 for small angles.

    >>> axes = torch.eye(3, dtype=torch.float64)
    >>> principal_angle(axes[:, :2], axes[:, 1:]).mul(180 / torch.pi).round().tolist()
    [90.0, 0.0]
    """
    q_u, q_v = _orthonormal(U), _orthonormal(V)
    if q_u.shape[1] < q_v.shape[1]:
        q_u, q_v = q_v, q_u
    cross = q_u.T @ q_v
    cosine = torch.linalg.svdvals(cross).clamp(max=1)
    sine = torch.linalg.svdvals(q_v - q_u @ cross).clamp(max=1).flip(0)
    return torch.where(cosine**2 < 0.5, cosine.acos(), sine.asin()).flip(0)


def _orthonormal(matrix: Tensor) -> Tensor:
    if not matrix.isfinite().all():
        raise ValueError("a matrix has entries that are not finite; give a finite one")
    basis, size, _ = torch.linalg.svd(matrix, full_matrices=False)
    kept = size > RANK_TOLERANCE * size[0]
    if not kept.any():
        raise ValueError(
            f"a matrix {tuple(matrix.shape)} is zero; it spans no subspace"
        )
    found: Tensor = basis[:, kept]
    return found
