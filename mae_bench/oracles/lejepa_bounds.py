"""What alignment and isotropy say of a representation, and no more.

u ~ N(0, I_k), u' = ρ u + sqrt(1 - ρ²) η, and h any function of u with mean 0. In
Hermite polynomials, h = Σ_d h_d, and correlations of degree d are multiplied by ρ^d:
E h(u)ᵀh(u') = Σ ρ^d E|h_d|². So with L = E|h(u') - h(u)|²

    L >= 2 (1 - ρ) tr Cov h,                                             (LJ1)

with equality if and only if h is linear. With δ the slack, the energy of all degrees
above 1 is at most D = δ / (2ρ (1-ρ)), for 2 (ρ - ρ^d) is at least 2ρ (1-ρ). The linear
part A u has |A Aᵀ - I|_F <= ε + D, ε = |Cov h - I|_F, and of a singular value σ
|σ - 1| <= |σ² - 1|, so that for the best orthogonal Q

    E|h - Q u|² <= D + (ε + D)².                                         (LJ2)

If the causes are z_i = F⁻¹(Φ(u_i)) the best h is still linear in u, and what a linear
read-out can tell of z is R² = Corr(u, z)²: 1 for Gaussian causes alone (LJ3).

References:
    Klindt, LeCun & Balestriero 2026, arXiv 2605.26379; both bounds are derived here.
"""

import numpy as np
import torch
from jaxtyping import Float64
from torch import Tensor

from mae_bench.datasets.ou_mixing import generalised_normal


def isotropy_error(covariance: Float64[Tensor, "k k"]) -> float:
    """ε = |Cov h - I|_F."""
    return float((covariance - torch.eye(len(covariance)).to(covariance)).norm())


def distance_bound(slack: float, isotropy: float, rho: float) -> float:
    """D + (ε + D)², D = δ / (2ρ (1-ρ)).

    Args:
        slack: δ = L - 2 (1-ρ) tr Cov h; below 0 by sampling alone, and then taken as 0.
        isotropy: ε.
        rho: ρ, in (0, 1).

    >>> distance_bound(0.0, 0.0, 0.5), round(distance_bound(0.1, 0.2, 0.5), 9)
    (0.0, 0.36)
    """
    nonlinear = max(0.0, slack) / (2 * rho * (1 - rho))
    return nonlinear + (isotropy + nonlinear) ** 2


def orthogonal_distance(h: Float64[Tensor, "n k"], u: Float64[Tensor, "n k"]) -> float:
    """Least E|h - Q u|² over orthogonal Q, of centred samples (Procrustes)."""
    one, other = (x - x.mean(0) for x in (h, u))
    cross = torch.linalg.svdvals(one.T @ other / len(h)).sum()
    energy = one.square().sum(1).mean() + other.square().sum(1).mean()
    return float(energy - 2 * cross)


def shape_r2(alpha: float) -> float:
    """Corr(u, F_α⁻¹(Φ(u)))² of u ~ N(0, 1): what linear read-outs of u tell of z.

    >>> round(shape_r2(2.0), 6), round(shape_r2(1.0), 3)
    (1.0, 0.963)
    """
    u = np.linspace(-9, 9, 20_001)
    density = np.exp(-u * u / 2)
    density /= density.sum()
    return float((density @ (u * generalised_normal(u, alpha))) ** 2)
