"""When a deep linear network learns a mode, and how far: the answers of gradient flow.

From a small balanced start all L layers of the encoder and the decoder (MAE) or
predictor (JEPA) have the same singular value w(t) in a mode, and the encoder amplifies
the mode by w̄ = w^L. With k = L + 1 for MAE and k = 1 for JEPA, whose target is the
encoder's own output behind a stopped gradient,

    dw̄/dt = L λ w̄^{3 - k/L} (1 - w^k / ρ),

which is the paper's w̄^{2 - 1/L} λ - w̄³ λ / ρ (MAE) and w̄^{3 - 1/L} λ - w̄³ λ / ρ
(JEPA), times L. It rests at w̄* = ρ^{L/k}.

A half-time is one integral over a number: at most about 2,100 values of its integrand,
whatever the depth or the time, one after the other.

References:
    Littwin et al. 2024, arXiv 2407.03475; derived here from the losses.
"""

import math
from typing import Literal

from scipy.integrate import quad

Objective = Literal["mae", "jepa"]


def plateau_exponent(depth: int, objective: Objective) -> float:
    """L / k of w̄* = ρ^{L/k}.

    >>> plateau_exponent(3, "mae"), plateau_exponent(3, "jepa")
    (0.75, 3.0)
    """
    return depth / _k(depth, objective)


def half_time(
    lamb: float, rho: float, depth: int, objective: Objective, init_scale: float
) -> float:
    """Time from w̄ = ε until w̄ is half its plateau.

    λ t = ∫ w^{k - 2L} / (1 - w^k / ρ) d log w, from ε^{1/L} to (ρ^{L/k} / 2)^{1/L}.

    Args:
        lamb: λ > 0, the covariance of the two views.
        rho: ρ in (0, 1], the regression coefficient.
        depth: L, at least 1.
        objective: Of the loss.
        init_scale: ε, in (0, ρ^{L/k} / 2).

    Returns:
        In units of step times learning rate, with the loss ½ E ‖.‖².

    Raises:
        ValueError: The mode begins above half its plateau.
    """
    k, half = _k(depth, objective), rho ** plateau_exponent(depth, objective) / 2
    if not 0 < init_scale < half:
        raise ValueError(f"init_scale is {init_scale}; choose in (0, {half:.3g})")

    def integrand(log_w: float) -> float:
        w = math.exp(log_w)
        return w ** (k - 2 * depth) / (1 - w**k / rho)

    start, end = (math.log(value) / depth for value in (init_scale, half))
    return float(quad(integrand, start, end)[0]) / lamb


def _k(depth: int, objective: Objective) -> int:
    return depth + 1 if objective == "mae" else 1
