"""Uniform MAE (Zhang et al. 2022): MAE whose class tokens are pushed apart."""

from typing import Any, ClassVar

import torch
from jaxtyping import Float
from torch import Tensor

from mae_bench.datasets import Dataset
from mae_bench.methods.mae import MAE
from mae_bench.models.full_precision import in_full_precision
from mae_bench.models.masking import Masking
from mae_bench.models.processes import gather


def uniformity_loss(
    features: Float[Tensor, "n d"], diagonal: bool = False
) -> Float[Tensor, ""]:
    """Mean squared cosine of the features of two images.

    With the diagonal it is 1 / n + (1 - 1 / n) times the one without, and the inverse
    of the participation ratio of the (uncentred) features of unit length.

    Args:
        features: One row an image.
        diagonal: Whether each image is also paired with itself.

    Returns:
        In [0, 1]; 1 / d for isotropic features (without the diagonal), 1 if all point
        the same way.

    Raises:
        ValueError: There is no pair.

    References:
        2210.08344, L_unif; the released code keeps the diagonal.

    >>> uniformity_loss(torch.eye(3)).item(), uniformity_loss(torch.ones(3, 1)).item()
    (0.0, 1.0)
    """
    n = len(features)
    if n < 2:
        raise ValueError(f"{n} images make no pair; give 2 or more")
    z = torch.nn.functional.normalize(features, dim=1)
    squared = (z @ z.T).square()
    if diagonal:
        return squared.mean()
    return (squared.sum() - squared.diagonal().sum()) / (n * (n - 1))


class UMAE(MAE):
    """MAE plus ``lamb`` times the uniformity loss of the masked images' class tokens.

    The released code passes the class token through the final norm twice, and keeps
    the diagonal, so that its loss depends on the batch size; here it is normed once.
    Its gather passes no gradients between processes, so on 8 GPUs its lamb of 0.01
    acts as 0.00125; it trains with ``norm_pix_loss``, which is off here by default.
    """

    version: ClassVar[int] = 1

    def __init__(
        self,
        dataset: Dataset,
        generator: torch.Generator,
        *,
        lamb: float = 0.01,
        diagonal: bool = False,
        **mae: Any,
    ) -> None:
        """Build an MAE.

        Args:
            dataset: The world that it learns from.
            generator: Draws the initial weights.
            lamb: Weight of the uniformity loss, from 0 (plain MAE).
            diagonal: Whether pairs of an image with itself count, as in the released
                code.
            mae: See ``MAE``.

        Raises:
            ValueError: ``lamb`` is negative.
        """
        super().__init__(dataset, generator, **mae)
        if lamb < 0:
            raise ValueError(
                f"lamb {lamb} would pull features together; choose 0 or more"
            )
        self.lamb = lamb
        self.diagonal = diagonal

    def objective(
        self,
        images: Float[Tensor, "n c h w"],
        tokens: Float[Tensor, "n t d"],
        masking: Masking,
    ) -> Float[Tensor, ""]:
        """MAE's loss plus the class tokens' uniformity loss."""
        classes = gather(self.encoder.readout(tokens)["cls"])
        uniformity = in_full_precision(
            lambda z: uniformity_loss(z, self.diagonal), classes
        )
        return super().objective(images, tokens, masking) + self.lamb * uniformity
