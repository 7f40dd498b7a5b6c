"""Alignment: do two random masks of an image give the same features?"""

from typing import Any

import torch
import torchmetrics
from jaxtyping import Float, Float64, Int64
from torch import Tensor
from torch.nn.functional import normalize

from mae_bench.metrics import metric


def from_sums(
    distance: Float64[Tensor, ""],
    cosine: Float64[Tensor, ""],
    first: Float64[Tensor, " d"],
    second: Float64[Tensor, " d"],
    count: Int64[Tensor, ""],
) -> dict[str, Tensor]:
    """Both variants from sums over images.

    Args:
        distance: Sum of ``|z - z+|²``.
        cosine: Sum of ``z · z+``.
        first: Sum of z.
        second: Sum of z+.
        count: n.
    """
    if count < 2:
        raise ValueError(f"alignment of {int(count)} images; give it at least two")
    if not distance.isfinite():
        raise ValueError("features hold NaN or infinity; the encoder has diverged")
    # sum_{i != j} z_i · z_j+ is the product of the sums without its diagonal.
    across = (first @ second - cosine) / (count * (count - 1))
    return {"distance": distance / count, "cosine_gap": cosine / count - across}


def sums(
    first: Float[Tensor, "n d"], second: Float[Tensor, "n d"]
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """What ``from_sums`` takes, in its order, without the count."""
    z, z_plus = (normalize(h.detach().double(), dim=1) for h in (first, second))
    distance, cosine = (z - z_plus).square().sum(), (z * z_plus).sum()
    return distance, cosine, z.sum(0), z_plus.sum(0)


class Alignment(torchmetrics.Metric):
    """Accumulates sums in float64, over batches and processes.

    >>> alignment = Alignment()
    >>> alignment.update(torch.eye(2), torch.eye(2))
    >>> {variant: float(value) for variant, value in alignment.compute().items()}
    {'distance': 0.0, 'cosine_gap': 1.0}
    """

    full_state_update = False
    is_differentiable = False
    distance: Tensor
    cosine: Tensor
    first: Tensor
    second: Tensor
    count: Tensor

    def __init__(self, **kwargs: Any) -> None:
        """Start from zeros, which take the features' width on the first update."""
        super().__init__(**kwargs)
        for name in ("distance", "cosine", "first", "second"):
            zero = torch.zeros((), dtype=torch.float64)
            self.add_state(name, zero, dist_reduce_fx="sum")
        self.add_state("count", torch.tensor(0), dist_reduce_fx="sum")

    def update(self, first: Float[Tensor, "n d"], second: Float[Tensor, "n d"]) -> None:
        """Add a batch of images under two masks."""
        distance, cosine, total, total_plus = sums(first, second)
        self.distance = self.distance + distance
        self.cosine = self.cosine + cosine
        self.first = self.first + total
        self.second = self.second + total_plus
        self.count += len(first)

    def compute(self) -> dict[str, Tensor]:
        """Variant -> value."""
        return from_sums(
            self.distance, self.cosine, self.first, self.second, self.count
        )


@metric(
    reads="pairs",
    direction="none",
    version=1,
    source="Wang & Isola 2020, arXiv 2005.10242, L_align with alpha = 2",
    stream=Alignment,
)
def alignment(
    first: Float[Tensor, "n d"], second: Float[Tensor, "n d"]
) -> dict[str, Tensor]:
    """How alike unit-norm features z, z+ of two random masks of an image are.

    ``distance`` is ``E |z - z+|²``; collapsed features have the best one, 0.
    ``cosine_gap`` is ``E cos(z, z+)`` minus the mean over pairs of different images,
    so that collapse scores 0 too, and is no longer good.

    Args:
        first: Features under one mask; n at least 2.
        second: Features of the same images under another.

    Returns:
        ``distance`` in ``[0, 4]`` (smaller is more aligned) and ``cosine_gap`` in
        ``[-2, 2]`` (larger is more aligned; 0 for unrelated features).

    Raises:
        ValueError: Fewer than two images; NaN or infinite features.
    """
    count = torch.tensor(len(first), device=first.device)
    return from_sums(*sums(first, second), count)
