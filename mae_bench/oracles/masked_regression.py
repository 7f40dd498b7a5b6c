"""The test risk of ridgeless regression on covariates that were zeroed at random.

Covariates x ~ N(0, I + s u uᵀ) in d dimensions, y = βᵀx + σ ε with β along u and
Var(βᵀx) = 1. Of n samples each covariate is zeroed with probability p, and β̂ is the
least-squares solution of least norm. It is tested on whole covariates.

Derivation. Let q = 1 - p. For a spread-out u a masked row has covariance q Σ',
Σ' = τ I + q s u uᵀ, τ = 1 + p s / d: masking is a weaker spike, for it hides the
covariates one by one while the direction u is still seen in the others. The best
coefficient on masked rows is c = (1 + s) / (τ + q s) times β, which makes up for what
is hidden and is too large on whole rows, and leaves the residual variance
v = σ² + 1 - q c. Least norm is ridge regression with κ = τ (γ - 1)₊, γ = d / n, as
far as expectations go (deterministic equivalents): β̂ is around b β,
b = (1 + s) / (τ + q s + κ), and scatters, so that

    risk = (b - 1)² + (v + κ² q c² (τ + q s) / ((1 + s) (τ + q s + κ)²)) / (q τ |γ - 1|)

with the last γ - 1 divided by γ where γ < 1. At s = 0 this is
(1 - 1/γ)₊ + (σ² + p) / (q |γ - 1|), or γ times the second term where γ < 1: it rises
with p at every γ. Where γ < 1 so does it with a spike, but where γ > 1 least norm
shrinks β and masking expands it: the two cancel at p = (γ - 1) / s if σ is small.

It is a formula: time and memory do not depend on d and n.

References:
    Dong, Wang & Kluger 2025, arXiv 2509.21650, whose setting this is; the formula is
    derived here.
    Hastie et al. 2022, arXiv 1903.08560: the risk without masks.
"""


def excess_risk(
    mask_ratio: float, covariates: int, samples: int, *, spike: float, noise: float
) -> float:
    """E (β̂ᵀx - βᵀx)² of a whole x, for many covariates and samples.

    Args:
        mask_ratio: p, in [0, 1).
        covariates: d.
        samples: n, other than d.
        spike: s, at least 0.
        noise: σ, where the signal βᵀx has 1.

    Returns:
        In [0, inf); 1 for β̂ = 0.

    Raises:
        ValueError: A mask ratio out of range, or as many covariates as samples.

    >>> round(excess_risk(0.0, 50, 100, spike=0.0, noise=1.0), 6)
    1.0
    >>> round(excess_risk(0.0, 200, 100, spike=0.0, noise=1.0), 6)
    1.5
    """
    if not 0 <= mask_ratio < 1:
        raise ValueError(f"mask_ratio is {mask_ratio}; choose in [0, 1)")
    if covariates == samples:
        raise ValueError(f"the risk is infinite with {samples} samples of as many")
    q, gamma = 1 - mask_ratio, covariates / samples
    tau = 1 + mask_ratio * spike / covariates
    masked = tau + q * spike
    kappa = tau * max(0.0, gamma - 1)
    c = (1 + spike) / masked
    b = (1 + spike) / (masked + kappa)
    residual = noise**2 + 1 - q * c
    unlearnt = kappa**2 * q * c**2 * masked / ((1 + spike) * (masked + kappa) ** 2)
    scatter = 1 / (gamma - 1) if gamma > 1 else gamma / (1 - gamma)
    return (b - 1) ** 2 + (residual + unlearnt) * scatter / (q * tau)
