"""How well a correlation is known from masked likelihoods: Fisher information, exactly.

x ~ N(0, Σ(φ)) with Σ_ij = φ^{|i-j|}. The k-masked estimate of φ maximises
log p(x_S | x_-S) over samples and masks S of k coordinates. With the score of a subset
s_A(x) = ∂ log p(x_A) / ∂φ = x_Aᵀ Q_A x_A + constant, Q_A = Σ_A⁻¹ Σ'_A Σ_A⁻¹ / 2,
that of a mask is xᵀ(Q_full - Q_-S) x, and Var(xᵀQx) = 2 tr (QΣ)². Each term is a
likelihood of its own, so its variance is its curvature, I_S = I_full - I_-S, which no
larger mask has less of: what is visible tells less. So n Var φ̂ tends to

* *one mask a sample*, drawn at random as in training:  1 / H,  H = E_S I_S;
* *all masks of every sample*:  J / H²,  J that of the mean score over S;

and to 1 / I_full, that of maximum likelihood, for k = d in both.

Of d coordinates it takes the C(d, k) masks, each O(d³).

References:
    Li et al. 2024, arXiv 2407.21046; derived here. Only its abstract could be read.
"""

from collections.abc import Iterator
from itertools import combinations
from typing import Literal

import torch
from jaxtyping import Float64, Int64
from torch import Tensor

Masks = Literal["one", "all"]


def chain(
    length: int, phi: float
) -> tuple[Float64[Tensor, "d d"], Float64[Tensor, "d d"]]:
    """Σ(φ) of a chain, and its derivative in φ.

    >>> [m.tolist() for m in chain(2, 0.5)]
    [[[1.0, 0.5], [0.5, 1.0]], [[0.0, 1.0], [1.0, 0.0]]]
    """
    place = torch.arange(length, dtype=torch.float64)
    far = (place[:, None] - place).abs()
    slope = torch.where(far > 0, far * phi ** (far - 1).clamp(min=0), 0.0)
    return phi**far, slope


def masks_of(length: int, masked: int) -> Iterator[Int64[Tensor, " v"]]:
    """What each mask leaves visible, in the order of ``combinations``."""
    everything = set(range(length))
    for hidden in combinations(range(length), masked):
        yield torch.tensor(sorted(everything - {*hidden}), dtype=torch.int64)


def fisher_information(length: int, phi: float) -> float:
    """I of φ in a whole sample: (d - 1) (1 + φ²) / (1 - φ²)².

    >>> fisher_information(9, 0.0)
    8.0
    """
    return (length - 1) * (1 + phi**2) / (1 - phi**2) ** 2


def relative_variance(length: int, phi: float, masked: int, masks: Masks) -> float:
    """Asymptotic variance of the k-masked estimate, over that of maximum likelihood.

    Args:
        length: d.
        phi: φ, in (-1, 1).
        masked: k, in 1..d.
        masks: Whether each sample is seen under one mask or under all.

    Returns:
        In [1, inf), 1 for k = d.

    Raises:
        ValueError: A k out of range.

    >>> [round(relative_variance(8, 0.6, k, "all"), 2) for k in (1, 2, 4, 6, 8)]
    [1.18, 1.13, 1.05, 1.0, 1.0]
    """
    if not 1 <= masked <= length:
        raise ValueError(f"masked is {masked}; give an integer in 1..{length}")
    covariance, slope = chain(length, phi)
    whole = _score(covariance, slope, torch.arange(length))
    scores = [
        whole - _score(covariance, slope, visible)
        for visible in masks_of(length, masked)
    ]
    curvature = sum(_variance(q, covariance) for q in scores) / len(scores)
    spread = curvature
    if masks == "all":
        spread = _variance(torch.stack(scores).mean(0), covariance)
    return _variance(whole, covariance) * spread / curvature**2


def _score(covariance: Tensor, slope: Tensor, subset: Tensor) -> Tensor:
    """Q of a subset, among all coordinates."""
    rows, columns = subset[:, None], subset
    inverse = torch.linalg.inv(covariance[rows, columns])
    found = torch.zeros_like(covariance)
    found[rows, columns] = inverse @ slope[rows, columns] @ inverse / 2
    return found


def _variance(form: Tensor, covariance: Tensor) -> float:
    """Of xᵀ Q x: 2 tr (Q Σ)²."""
    half = form @ covariance
    return 2 * (half * half.T).sum().item()
