"""What a linear encoder of k features keeps of noisy views, in closed form.

With C = Cov x of images, S the covariance of the views' noise and Σ = C + S, of views
x̃ = x + ε:

* *reconstruction* E ‖x - x̃ A B‖² is least where B spans the top-k eigenvectors of
  C Σ⁻¹ C, and A = Σ⁻¹ C Bᵀ;
* *joint embedding* keeps the top-k solutions of C v = λ Σ v: those of the spectral
  contrastive loss -2 tr AᵀCA + tr (AᵀΣA)² = ‖Σ^½ A Aᵀ Σ^½ - Σ^-½ C Σ^-½‖² + constant,
  and of every loss that whitens the features and makes views agree.

Where signal (variance s = 1), nuisance (g) and noise (b + a g on the nuisance, b on the
signal) have common axes, the values by which they compete are

    s² / (s + b)  against  g² / (g + b + a g),   and
    s / (s + b)   against  g / (g + b + a g),

so that the signal wins if and only if a > (g / s - 1) + b (g² - s²) / (s² g), and
a > b (1/s - 1/g). Without isotropic noise these are a > g/s - 1 and a > 0; where
g > s the second is the smaller at every b, where g < s the first. At a = b = 0 joint
embedding knows no difference, and what it keeps is arbitrary.

Of d pixels a subspace takes O(d³) time; a threshold is a formula.

References:
    Van Assel et al. 2025, arXiv 2505.12477, whose question this is; derived here.
    HaoChen et al. 2021, arXiv 2106.04156: the spectral contrastive loss.
"""

from typing import Literal

import torch
from jaxtyping import Float64
from torch import Tensor

from mae_bench.oracles import check_covariance

Objective = Literal["reconstruction", "joint_embedding"]


def alignment_threshold(
    objective: Objective, nuisance: float, isotropic: float = 0.0
) -> float:
    """Alignment a above which the signal, of variance 1, is what is kept.

    Args:
        objective: Of the encoder.
        nuisance: g > 0.
        isotropic: b >= 0.

    Returns:
        Below 0 where the signal is kept without any.

    >>> alignment_threshold("reconstruction", 10.0), alignment_threshold(
    ...     "joint_embedding", 10.0
    ... )
    (9.0, 0.0)
    """
    if objective == "joint_embedding":
        return isotropic * (1 - 1 / nuisance)
    return nuisance - 1 + isotropic * (nuisance**2 - 1) / nuisance


def kept_subspace(
    covariance: Float64[Tensor, "d d"],
    noise: Float64[Tensor, "d d"],
    rank: int,
    objective: Objective,
) -> Float64[Tensor, "d k"]:
    """Directions of x that the best encoder of k features reads.

    Args:
        covariance: C, symmetric and positive definite.
        noise: S, symmetric and positive semi-definite.
        rank: k, in 1..d.
        objective: Of the encoder.

    Returns:
        The columns of A, up to a basis; arbitrary where λ_k = λ_{k+1}.

    Raises:
        ValueError: A rank out of range, or a matrix that is no covariance.
    """
    for matrix in (covariance, noise):
        check_covariance(matrix)
    if not 1 <= rank <= len(covariance):
        raise ValueError(f"rank is {rank}; give an integer in 1..{len(covariance)}")
    total = covariance + noise
    L = torch.linalg.cholesky(total)
    white = torch.linalg.solve_triangular(L, covariance, upper=False)  # L⁻¹ C
    if objective == "reconstruction":
        top = torch.linalg.eigh(white.T @ white).eigenvectors[:, -rank:]
        found: Tensor = torch.linalg.solve(total, covariance @ top)
        return found
    both = torch.linalg.solve_triangular(L, white.T, upper=False)  # L⁻¹ C L⁻ᵀ
    top = torch.linalg.eigh(both).eigenvectors[:, -rank:]
    read: Tensor = torch.linalg.solve_triangular(L.T, top, upper=True)
    return read


def kept_signal(
    objective: Objective,
    nuisance: float,
    alignment: float,
    isotropic: float = 0.0,
    share: float = 0.25,
) -> float:
    """Share of the signal's directions that is kept, with as many features as signals.

    Args:
        objective: Of the encoder.
        nuisance: g.
        alignment: a.
        isotropic: b.
        share: Of all directions that are signal, at most a half: what an arbitrary
            encoder keeps, on average.

    Returns:
        1 above the threshold, 0 below it, ``share`` on it.
    """
    beyond = alignment - alignment_threshold(objective, nuisance, isotropic)
    return share if beyond == 0 else float(beyond > 0)
