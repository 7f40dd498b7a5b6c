"""Effective rank: how many directions the features spread over, by entropy."""

from typing import Any

import torch
from jaxtyping import Float, Float64, Int64
from torch import Tensor

from mae_bench.metrics import Headline, metric
from mae_bench.metrics._stream import Sums, TooFew

EPS = 1e-7
# Eigenvalues of a Gram matrix below this share of its trace are rounding.
ROUNDING = 1e-13


def moments(
    features: Float[Tensor, "n d"],
) -> tuple[Float64[Tensor, "d d"], Float64[Tensor, " d"], Int64[Tensor, ""]]:
    """``X^T X``, the sum of the rows, and n."""
    x = features.double()
    return x.T @ x, x.sum(0), torch.tensor(len(x), device=x.device)


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
    if count < 1:
        raise TooFew("effective rank of 0 images; give it at least one")
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


class RankMe(Sums):
    """RankMe of all features of an epoch, or of their spread around the mean.

    >>> rank = RankMe(centred=True)
    >>> rank.update(torch.tensor([[9.0, 0.0], [7.0, 0.0], [8.0, 1.0], [8.0, -1.0]]))
    >>> round(float(rank.compute()), 4)
    2.0
    """

    states = ("gram", "total", "count")

    def __init__(self, *, centred: bool = False, **kwargs: Any) -> None:
        """Start from nothing.

        Args:
            centred: Whether to take the mean of the features away first.
            kwargs: Of ``torchmetrics.Metric``.
        """
        super().__init__("centred" if centred else "uncentred", **kwargs)

    def update(self, features: Float[Tensor, "n d"]) -> None:
        """Add a batch."""
        self.add(moments(features))

    def variants(self) -> dict[str, Tensor]:
        """Variant -> rank."""
        return both_ranks(*self.sums())


@metric(
    reads="features",
    direction="none",
    unit={"*share": "share of the width", "*": "directions"},
    lower=0.0,
    version=1,
    source="Garrido et al. 2023, arXiv 2210.02885, RankMe (eps = 1e-7)",
    stream=RankMe,
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
        ValueError: No image; NaN or infinite features.
    """
    return both_ranks(*moments(features))
