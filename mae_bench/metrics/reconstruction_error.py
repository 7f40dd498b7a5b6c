"""Reconstruction error: the mean squared error of masked pixels."""

from typing import Any

import torch
from jaxtyping import Float, Float64, Int64
from torch import Tensor

from mae_bench.metrics import Headline, metric
from mae_bench.metrics._stream import Sums, TooFew


def sums(
    prediction: Float[Tensor, "n m p"], target: Float[Tensor, "n m p"]
) -> tuple[Float64[Tensor, ""], Int64[Tensor, ""]]:
    """Squared errors, and the number of pixels."""
    error = prediction.double() - target.double()
    return error.square().sum(), torch.tensor(error.numel(), device=error.device)


def mean_square(
    squares: Float64[Tensor, ""], count: Int64[Tensor, ""]
) -> dict[str, Tensor]:
    """``{"masked": squares / count}``, if it is a number."""
    if count == 0:
        raise TooFew("no pixel is masked; raise mask_ratio")
    if not squares.isfinite():
        raise ValueError("the prediction holds NaN or infinity; the method diverged")
    return {"masked": squares / count}


class ReconstructionError(Sums):
    """Mean squared error of all masked pixels of an epoch.

    >>> error = ReconstructionError()
    >>> error.update(torch.ones(2, 3, 4), torch.zeros(2, 3, 4))
    >>> error.compute()
    tensor(1., dtype=torch.float64)
    """

    higher_is_better = False
    states = ("squares", "count")

    def __init__(self, **kwargs: Any) -> None:
        """Start from nothing.

        Args:
            kwargs: Of ``torchmetrics.Metric``.
        """
        super().__init__("masked", **kwargs)

    def update(
        self, prediction: Float[Tensor, "n m p"], target: Float[Tensor, "n m p"]
    ) -> None:
        """Add a batch of masked patches."""
        self.add(sums(prediction, target))

    def variants(self) -> dict[str, Tensor]:
        """``{"masked": value}``."""
        return mean_square(*self.sums())


@metric(
    reads="reconstruction",
    direction="min",
    unit={
        "explained*": "share of the variance",
        "ratio*": "ratio to the least error",
        "*": "squared pixel value",
    },
    lower=0.0,
    version=1,
    source="He et al. 2022, arXiv 2111.06377: loss on masked patches only",
    stream=ReconstructionError,
    headlines=(Headline("masked", token="", fair=False),),
)
def reconstruction_error(
    prediction: Float[Tensor, "n m p"], target: Float[Tensor, "n m p"]
) -> dict[str, Tensor]:
    """Mean squared error over all masked pixels of all images.

    It is in the images' squared unit. What is possible depends on the world and on
    the mask: a perfect method reaches the Bayes error, not 0.

    Args:
        prediction: Masked patches as the decoder gives them.
        target: Masked patches as they are.

    Returns:
        ``{"masked": value}``, at least 0.

    Raises:
        ValueError: No masked pixel; NaN or infinite predictions.
    """
    return mean_square(*sums(prediction, target))
