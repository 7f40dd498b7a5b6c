"""Alignment: do two random masks of an image give the same features?"""

from typing import Any

import torch
from jaxtyping import Float, Float64, Int64
from torch import Tensor
from torch.nn.functional import normalize

from mae_bench.metrics import metric
from mae_bench.metrics._stream import Sums, TooFew


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
        raise TooFew(f"alignment of {int(count)} images; give it at least two")
    if not distance.isfinite():
        raise ValueError("features hold NaN or infinity; the encoder has diverged")
    # sum_{i != j} z_i · z_j+ is the product of the sums without its diagonal.
    across = (first @ second - cosine) / (count * (count - 1))
    return {"distance": distance / count, "cosine_gap": cosine / count - across}


def sums(
    first: Float[Tensor, "n d"], second: Float[Tensor, "n d"]
) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    """What ``from_sums`` takes, in its order."""
    z, z_plus = (normalize(h.detach().double(), dim=1) for h in (first, second))
    distance, cosine = (z - z_plus).square().sum(), (z * z_plus).sum()
    count = torch.tensor(len(z), device=z.device)
    return distance, cosine, z.sum(0), z_plus.sum(0), count


class Alignment(Sums):
    """Alignment of all pairs of an epoch, by distance or by cosine.

    >>> alignment = Alignment(cosine_gap=True)
    >>> alignment.update(torch.eye(2), torch.eye(2))
    >>> alignment.compute()
    tensor(1., dtype=torch.float64)
    """

    states = ("distance", "cosine", "first", "second", "count")

    def __init__(self, *, cosine_gap: bool = False, **kwargs: Any) -> None:
        """Start from nothing.

        Args:
            cosine_gap: Whether it is ``cosine_gap``, or ``distance``.
            kwargs: Of ``torchmetrics.Metric``.
        """
        super().__init__("cosine_gap" if cosine_gap else "distance", **kwargs)

    def update(self, first: Float[Tensor, "n d"], second: Float[Tensor, "n d"]) -> None:
        """Add a batch of images under two masks."""
        self.add(sums(first, second))

    def variants(self) -> dict[str, Tensor]:
        """Variant -> value."""
        return from_sums(*self.sums())


@metric(
    reads="pairs",
    direction="none",
    unit={"distance": "squared distance", "*": "cosine"},
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
    return from_sums(*sums(first, second))
