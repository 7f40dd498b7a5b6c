"""Effective rank: how many directions the features spread over, by entropy."""

from typing import Any

import torch
import torchmetrics
from jaxtyping import Float, Float64, Int64
from torch import Tensor

from mae_bench.metrics import Headline, metric

EPS = 1e-7
# Eigenvalues of a Gram matrix below this share of its trace are rounding.
ROUNDING = 1e-13


def entropy_rank(
    gram: Float64[Tensor, "d d"], trace: Float64[Tensor, ""], size: int
) -> Float64[Tensor, ""]:
    """``exp(-sum p log p)``, ``p = sigma / |sigma|_1 + 1e-7``, sigma² from a Gram.

    Args:
        gram: ``X^T X``.
        trace: Trace that rounding is relative to.
        size: Number of singular values, ``min(n, d)``.

    >>> gram = torch.eye(4).double()
    >>> round(float(entropy_rank(gram, gram.trace(), 4)), 4)
    4.0
    """
    squares = torch.linalg.eigvalsh(gram)[-size:]
    sigma = torch.where(squares > ROUNDING * trace, squares, 0.0).sqrt()
    p = sigma / sigma.sum().clamp_min(torch.finfo(sigma.dtype).tiny) + EPS
    return torch.exp(-(p * p.log()).sum())


def both_ranks(
    gram: Float64[Tensor, "d d"], total: Float64[Tensor, " d"], count: Int64[Tensor, ""]
) -> dict[str, Tensor]:
    """Ranks of the features as they are and around their mean, from their moments."""
    if not gram.isfinite().all():
        raise ValueError("features hold NaN or infinity; the encoder has diverged")
    size = min(int(count), len(gram))
    trace = gram.trace()
    around_mean = gram - torch.outer(total, total) / count
    centred = entropy_rank(around_mean, trace, size)
    return {
        "uncentred": entropy_rank(gram, trace, size),
        "centred": centred,
        "centred_share": centred / len(gram),
    }


class EffectiveRank(torchmetrics.Metric):
    """Accumulates the Gram matrix in float64; sums over batches and processes.

    >>> rank = EffectiveRank()
    >>> rank.update(torch.tensor([[1.0, 0.0], [-1.0, 0.0], [0.0, 1.0], [0.0, -1.0]]))
    >>> round(float(rank.compute()["centred"]), 4)
    2.0
    """

    full_state_update = False
    is_differentiable = False
    gram: Tensor
    total: Tensor
    count: Tensor

    def __init__(self, **kwargs: Any) -> None:
        """Start from zeros, which take the features' width on the first update."""
        super().__init__(**kwargs)
        zero = torch.zeros((), dtype=torch.float64)
        self.add_state("gram", zero, dist_reduce_fx="sum")
        self.add_state("total", zero, dist_reduce_fx="sum")
        self.add_state("count", torch.tensor(0), dist_reduce_fx="sum")

    def update(self, features: Float[Tensor, "n d"]) -> None:
        """Add a batch."""
        x = features.detach().double()
        self.gram = self.gram + x.T @ x
        self.total = self.total + x.sum(0)
        self.count += len(x)

    def compute(self) -> dict[str, Tensor]:
        """Variant -> rank."""
        return both_ranks(self.gram, self.total, self.count)


@metric(
    reads="features",
    direction="none",
    lower=0.0,
    version=1,
    source="Garrido et al. 2023, arXiv 2210.02885, RankMe (eps = 1e-7)",
    stream=EffectiveRank,
    headlines=(Headline("centred"),),
)
def effective_rank(features: Float[Tensor, "n d"]) -> dict[str, Tensor]:
    """The exponential of the entropy of the normalised singular values.

    Singular values are taken from the Gram matrix: those below 3e-7 of the root of
    its trace are read as 0. ``uncentred`` is RankMe; ``centred`` first takes the mean
    away. A common offset leaves ``centred`` alone; RankMe counts it as one more
    direction, and a large one outweighs all others. Both grow with n until n is far
    above d: compare values of equal n only.

    Args:
        features: Any scale, n at least 1.

    Returns:
        Variant -> rank, from 1 (collapsed) to ``min(n, d)``; the share, to 1.

    Raises:
        ValueError: NaN or infinite features.
    """
    x = features.double()
    return both_ranks(x.T @ x, x.sum(0), torch.tensor(len(x), device=x.device))
