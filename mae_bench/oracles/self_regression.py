"""Each pixel regressed on all others: the matrix of it, and what it finds of a spike.

Ridge regression of every coordinate on the rest, Σ_i (x_i - a_iᵀx)² / n + λ |a_i|² with
a_ii = 0, needs no fit: with Θ = (S + λI)⁻¹ of the sample covariance S the coefficients
are A_ij = -Θ_ij / Θ_ii, i.e. A = I - diag(Θ)⁻¹ Θ.

A is similar to I - R with R = diag(Θ)^{-1/2} Θ diag(Θ)^{-1/2}, so its eigenvalues are
real. Where noise is even, the entries Θ_ii of many pixels have one limit m, and A has
the eigenvectors of S, unless one pixel stands alone: of that A knows nothing. Those of
S follow a spike s only beyond s = sqrt(γ), γ = d / n (Baik, Ben Arous & Péché 2005).
There the leading eigenvalue of S is (1 + s)(1 + γ/s), at or below the threshold the
edge (1 + sqrt γ)², and an eigenvalue ℓ of S is 1 - 1 / (m (ℓ + λ)) of A. The squared
overlap of eigenvector and spike is (1 - γ/s²) / (1 + γ/s), and 0 below
(Benaych-Georges & Nadakuditi 2011).

Where noise has variances D_i the population's A is near c u (D⁻¹u)ᵀ: its right
eigenvector is u, whatever D is, while the principal component of D + s u uᵀ leans to
where the noise is loud, and that of samples to the loud noise itself.

References:
    Wortsman Zurich et al. 2026, arXiv 2601.23208, of which only the abstract could be
    read; the reading is ours.
"""

import math

import torch
from jaxtyping import Float64
from torch import Tensor


def coefficients(
    covariance: Float64[Tensor, "d d"], ridge: float
) -> Float64[Tensor, "d d"]:
    """A, whose row i holds the coefficients of pixel i on the others.

    >>> S = torch.tensor([[1.0, 0.5], [0.5, 1.0]], dtype=torch.float64)
    >>> coefficients(S, 0.0).tolist()
    [[0.0, 0.5], [0.5, 0.0]]
    """
    theta = _resolvent(covariance, ridge)
    found: Tensor = torch.eye(len(theta)).to(theta) - theta / theta.diagonal()[:, None]
    return found


def leading(
    covariance: Float64[Tensor, "d d"], ridge: float
) -> tuple[float, Float64[Tensor, " d"]]:
    """The largest eigenvalue of A, and its right eigenvector, of length 1."""
    theta = _resolvent(covariance, ridge)
    scale = theta.diagonal().rsqrt()
    values, vectors = torch.linalg.eigh(scale[:, None] * theta * scale)
    found = scale * vectors[:, 0]
    return 1 - values[0].item(), found / found.norm()


def _resolvent(covariance: Tensor, ridge: float) -> Tensor:
    """Θ = (S + λI)⁻¹."""
    eye = torch.eye(len(covariance)).to(covariance)
    found: Tensor = torch.linalg.inv(covariance + ridge * eye)
    return found


def squared_overlap(spike: float, gamma: float) -> float:
    """Limit of (vᵀu)² for the leading eigenvector v, in even noise.

    Args:
        spike: s, at least 0.
        gamma: γ = d / n.

    >>> squared_overlap(0.5, 0.5), round(squared_overlap(1.0, 0.5), 4)
    (0.0, 0.3333)
    """
    if spike**2 <= gamma:
        return 0.0
    return (1 - gamma / spike**2) / (1 + gamma / spike)


def leading_eigenvalue(spike: float, gamma: float, ridge: float) -> float:
    """Limit of the largest eigenvalue of A, in even noise; at s = 0 the bulk's edge.

    Args:
        spike: s, at least 0.
        gamma: γ = d / n.
        ridge: λ > 0.
    """
    beyond = spike**2 > gamma
    top = (1 + spike) * (1 + gamma / spike) if beyond else (1 + math.sqrt(gamma)) ** 2
    return 1 - 1 / (_mean_resolvent(gamma, ridge) * (top + ridge))


def _mean_resolvent(gamma: float, ridge: float) -> float:
    """Limit of tr Θ / d in white noise: Stieltjes transform of Marchenko and Pastur."""
    b = 1 - gamma + ridge
    return (math.sqrt(b**2 + 4 * gamma * ridge) - b) / (2 * gamma * ridge)
