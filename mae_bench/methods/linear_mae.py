"""Linear masked autoencoder (Bisulco et al. 2025): two matrices, solved in closed form.

The limit that training should meet is in ``oracles/linear_mae.py``.
"""

from typing import Any, ClassVar

import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn

from mae_bench.datasets import Batch, Dataset
from mae_bench.methods import Method
from mae_bench.oracles.linear_mae import patch_index


class LinearMAE(Method):
    """x̃ = R ⊙ x -> x̃ A B, with an encoder A [d k] and a decoder B [k d].

    Each patch is kept with probability 1 - m, apart from all others, as in the theory:
    images differ in how many patches they show.

    References:
        Bisulco et al. 2025, arXiv 2508.15404, Theorem 1: the loss on all pixels.
    """

    version: ClassVar[int] = 1
    pixel_patch: Tensor

    def __init__(
        self,
        dataset: Dataset,
        generator: torch.Generator,
        *,
        mask_ratio: float = 0.75,
        patch_size: int = 2,
        rank: int = 8,
        masked_only: bool = False,
        lr: float = 2e-2,
        weight_decay: float = 0.0,
        **budget: Any,
    ) -> None:
        """Draw A and B.

        Args:
            dataset: The world that it learns from.
            generator: Draws the initial weights.
            mask_ratio: m, in (0, 1): chance of a patch to be masked.
            patch_size: p, in pixels; divides the image.
            rank: k, in 1..d with d = c h w.
            masked_only: Whether visible pixels are left out of the loss, as in MAE.
            lr: Peak learning rate.
            weight_decay: 0 for the theory's optimum.
            budget: See ``Method``.

        Raises:
            ValueError: A setting is outside its range.
        """
        super().__init__(dataset, generator, lr=lr, weight_decay=weight_decay, **budget)
        d = dataset.channels * dataset.image_size**2
        if not 0 < mask_ratio < 1:
            raise ValueError(f"mask_ratio is {mask_ratio}; give a number in (0, 1)")
        if not 1 <= rank <= d:
            raise ValueError(f"rank is {rank}; give an integer in 1..{d}")
        self.mask_ratio = mask_ratio
        self.masked_only = masked_only
        patches = patch_index(d, patch_size, channels=dataset.channels)
        self.register_buffer("pixel_patch", patches, persistent=False)
        self.A = nn.Parameter(torch.randn(d, rank, generator=generator) / d**0.5)
        self.B = nn.Parameter(torch.randn(rank, d, generator=generator) / d**0.5)

    def masks(self, n: int, generator: torch.Generator) -> Float[Tensor, "n d"]:
        """R of n images: 1 for the pixels that stay."""
        patches = int(self.pixel_patch[-1]) + 1
        draw = torch.rand(n, patches, generator=generator, device=generator.device)
        return (draw >= self.mask_ratio).float()[:, self.pixel_patch]

    def loss(
        self, batch: Batch, generator: torch.Generator | None
    ) -> Float[Tensor, ""]:
        """Mean squared error of the d pixels; with ``masked_only``, of the hidden ones.

        Sums are divided by the expected number of pixels, d or d m: times that it is
        the loss of the theory.

        Raises:
            ValueError: There is no generator.
        """
        if generator is None:
            raise ValueError("generator None cannot draw masks; give one, or set noise")
        x = batch.images.flatten(1)
        kept = self.masks(len(x), generator)
        error = (x - (kept * x) @ self.A @ self.B).square()
        if self.masked_only:
            return (error * (1 - kept)).mean() / self.mask_ratio
        return error.mean()

    def features(
        self, batch: Batch, ids_keep: Int64[Tensor, "n k"] | None = None
    ) -> dict[str, Float[Tensor, "n _"]]:
        """X A, as ``code`` and, for readers of every method's ``mean``, as that."""
        x = batch.images.flatten(1)
        if ids_keep is not None:
            patches = int(self.pixel_patch[-1]) + 1
            kept = x.new_zeros(len(x), patches).scatter_(1, ids_keep, 1.0)
            x = x * kept[:, self.pixel_patch]
        code = x @ self.A
        return {"code": code, "mean": code}
