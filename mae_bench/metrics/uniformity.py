"""Uniformity: how evenly the features' directions cover the sphere."""

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import normalize

from mae_bench.metrics import metric
from mae_bench.metrics._stream import Kept, TooFew

CHUNK = 1024


def log_mean_potential(features: Float[Tensor, "n d"]) -> Float[Tensor, ""]:
    """``log mean_{i<j} exp(-2 |z_i - z_j|²)`` with ``z = h / |h|``."""
    n = len(features)
    if n < 2:
        raise TooFew(f"uniformity of {n} images; it compares pairs, give it two")
    if not features.isfinite().all():
        raise ValueError("features hold NaN or infinity; the encoder has diverged")
    z = normalize(features.float(), dim=1)
    total = torch.zeros((), dtype=torch.float64, device=z.device)
    for start in range(0, n, CHUNK):
        # |z_i - z_j|² = 2 - 2 cos; above the diagonal are the pairs i < j.
        with torch.autocast(z.device.type, enabled=False):
            cosine = z[start : start + CHUNK] @ z[start:].T
        total += (4 * cosine - 4).clamp_(-8, 0).exp_().triu_(1).sum(dtype=torch.float64)
    return (total / (n * (n - 1) / 2)).log()


class Uniformity(Kept):
    """Uniformity of all features of an epoch, which it keeps.

    >>> uniformity = Uniformity()
    >>> uniformity.update(torch.tensor([[1.0, 0.0]]))
    >>> uniformity.update(torch.tensor([[-1.0, 0.0]]))
    >>> round(float(uniformity.compute()), 4)
    -8.0
    """

    higher_is_better = False
    states = ("features",)

    def update(self, features: Float[Tensor, "n d"]) -> None:
        """Add a batch."""
        self.keep(features)

    def variants(self) -> dict[str, Tensor]:
        """``{"": value}``."""
        return {"": log_mean_potential(*self.kept())}


@metric(
    reads="features",
    direction="min",
    unit="nats",
    lower=-8.0,
    upper=0.0,
    chance=0.0,
    version=1,
    source="Wang & Isola 2020, arXiv 2005.10242, L_uniform with t = 2",
    stream=Uniformity,
)
def uniformity(features: Float[Tensor, "n d"]) -> dict[str, Tensor]:
    """``log mean_{i<j} exp(-2 |z_i - z_j|²)`` of unit-norm features z.

    Pairs of an image with itself are left out: with them the value could not fall
    below ``-log n``. All pairs are used, in chunks.

    Args:
        features: Any scale, n at least 2.

    Returns:
        ``{"": value}``: 0 if all directions agree, about -4 if they are independent in
        many dimensions, -8 for two opposite points.

    Raises:
        ValueError: Fewer than two images; NaN or infinite features.
    """
    return {"": log_mean_potential(features)}
