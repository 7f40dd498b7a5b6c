"""Reconstruction error: the mean squared error of masked pixels."""

from typing import Any

import torch
import torchmetrics
from jaxtyping import Float
from torch import Tensor

from mae_bench.metrics import Headline, metric


def mean_square(squares: Tensor, count: int) -> dict[str, Tensor]:
    """``{"masked": squares / count}``, if it is a number."""
    if count == 0:
        raise ValueError("no pixel is masked; raise mask_ratio")
    if not squares.isfinite():
        raise ValueError("the prediction holds NaN or infinity; the method diverged")
    return {"masked": squares / count}


class ReconstructionError(torchmetrics.Metric):
    """Accumulates squared errors in float64, over batches and processes.

    >>> error = ReconstructionError()
    >>> error.update(torch.ones(2, 3, 4), torch.zeros(2, 3, 4))
    >>> error.compute()
    {'masked': tensor(1., dtype=torch.float64)}
    """

    full_state_update = False
    higher_is_better = False
    is_differentiable = False
    squares: Tensor
    count: Tensor

    def __init__(self, **kwargs: Any) -> None:
        """Start from zero."""
        super().__init__(**kwargs)
        zero = torch.zeros((), dtype=torch.float64)
        self.add_state("squares", zero, dist_reduce_fx="sum")
        self.add_state("count", torch.tensor(0), dist_reduce_fx="sum")

    def update(
        self, prediction: Float[Tensor, "n m p"], target: Float[Tensor, "n m p"]
    ) -> None:
        """Add a batch of masked patches."""
        error = prediction.detach().double() - target.double()
        self.squares += error.square().sum()
        self.count += target.numel()

    def compute(self) -> dict[str, Tensor]:
        """``{"masked": value}``."""
        return mean_square(self.squares, int(self.count))


@metric(
    reads="reconstruction",
    direction="min",
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
    squares = (prediction.double() - target.double()).square().sum()
    return mean_square(squares, target.numel())
