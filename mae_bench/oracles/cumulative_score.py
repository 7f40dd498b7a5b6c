"""Masked scores of all sizes add up to the log likelihood: S(x; M) of Gaussians.

S(x; M) is the mean of log q(x_j | x_V) over masks of M of the d coordinates and over
the masked j, V being what the mask leaves. Where all conditionals are those of one
density q, log q(x_j | x_V) = log q(x_{V,j}) - log q(x_V), and V with a random masked j
is a random set of d - M + 1 coordinates. So with L_k the mean of log q(x_A) over sets
A of k coordinates

    S(x; M) = L_{d-M+1} - L_{d-M},    Σ_M S(x; M) = L_d = log q(x).

A fixed M is one difference L_{k+1} - L_k of this sum. If q is the truth, every one of
them is best there, each being a mean of negative relative entropies. If q cannot be,
each has an optimum of its own.

Of d coordinates it takes 2^d sets, each O(d³).

References:
    Moreno-Muñoz, Recasens & Hauberg 2023, arXiv 2306.00520. The averages over sets are
    spelled out here.
"""

import math
from itertools import combinations

import torch
from jaxtyping import Float64
from torch import Tensor


def mean_log_likelihoods(
    models: Float64[Tensor, "p d d"], moments: Float64[Tensor, "d d"]
) -> Float64[Tensor, "p d1"]:
    """L_k of k = 0..d of centred Gaussians q, averaged over data.

    Args:
        models: Covariances of q.
        moments: Mean of x xᵀ over the data.

    >>> one = torch.eye(1, dtype=torch.float64)
    >>> mean_log_likelihoods(one[None], 3 * one).numpy().round(6).tolist()
    [[0.0, -2.418939]]
    """
    d = len(moments)
    found = [models.new_zeros(len(models))]
    for k in range(1, d + 1):
        sets = torch.tensor(list(combinations(range(d), k)))
        rows, columns = sets[:, :, None], sets[:, None]
        q, s = models[:, rows, columns], moments[rows, columns]
        inverse, logdet = torch.linalg.inv(q), torch.logdet(q)
        fit = (inverse * s).sum((-1, -2))
        density = -0.5 * (fit + logdet + k * math.log(2 * math.pi))
        found.append(density.mean(1))
    return torch.stack(found, 1)


def scores(likelihoods: Float64[Tensor, "p d1"]) -> Float64[Tensor, "p d"]:
    """S(·; M) of M = 1..d, from ``mean_log_likelihoods``."""
    return likelihoods.diff(dim=1).flip(1)
