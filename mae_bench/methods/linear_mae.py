"""Linear masked or denoising autoencoder: two matrices, solved in closed form.

The limit that training should meet is in ``oracles/linear_mae.py``.
"""

import math
from typing import Any, ClassVar

import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn

from mae_bench.datasets import Batch, Dataset, LinearGaussian
from mae_bench.methods import Method
from mae_bench.oracles.linear_mae import patch_index
from mae_bench.records.schema import Track


class LinearMAE(Method):
    """x̃ = R ⊙ (x + σ ε) -> x̃ A B, with an encoder A [d k] and a decoder B [k d].

    Each patch is kept with probability 1 - m, apart from all others, as in the theory:
    images differ in how many patches they show. Without masks (m = 0) it is the linear
    denoising autoencoder, and without noise as well, the plain one: PCA.

    References:
        Bisulco et al. 2025, arXiv 2508.15404, Theorem 1: the loss on all pixels.
        Balestriero & LeCun 2024, arXiv 2402.11337: noise and masks in one problem.
    """

    version: ClassVar[int] = 2
    track: ClassVar[Track] = "pixels"
    joins: ClassVar[tuple[str, ...]] = ()
    pixel_patch: Tensor
    covariance: Tensor | None

    def __init__(
        self,
        dataset: Dataset,
        generator: torch.Generator,
        *,
        mask_ratio: float = 0.75,
        patch_size: int = 2,
        rank: int = 8,
        noise_std: float = 0.0,
        masked_only: bool = False,
        expected: bool = False,
        lr: float = 2e-2,
        weight_decay: float = 0.0,
        **budget: Any,
    ) -> None:
        """Draw A and B.

        Args:
            dataset: The world that it learns from.
            generator: Draws the initial weights.
            mask_ratio: m, in [0, 1): chance of a patch to be masked.
            patch_size: p, in pixels; divides the image.
            rank: k, in 1..d with d = c h w.
            noise_std: σ >= 0, of the Gaussian noise that pixels get before the mask.
            masked_only: Whether visible pixels are left out of the loss, as in MAE.
            expected: Whether each step takes the loss's expectation over all images,
                masks and noise instead of a batch's mean; a world's covariance must
                be known. What training finds is then free of sampling noise.
            lr: Peak learning rate.
            weight_decay: 0 for the theory's optimum.
            budget: See ``Method``.

        Raises:
            ValueError: A setting is outside its range, or two do not go together.
        """
        super().__init__(dataset, generator, lr=lr, weight_decay=weight_decay, **budget)
        d = dataset.channels * dataset.image_size**2
        if not 0 <= mask_ratio < 1:
            raise ValueError(f"mask_ratio is {mask_ratio}; give a number in [0, 1)")
        if not 1 <= rank <= d:
            raise ValueError(f"rank is {rank}; give an integer in 1..{d}")
        if not 0 <= noise_std < math.inf:
            raise ValueError(f"noise_std is {noise_std}; give a number >= 0")
        if masked_only and (expected or mask_ratio == 0):
            raise ValueError("masked_only needs drawn masks; unset expected, raise m")
        self.mask_ratio = mask_ratio
        self.patch_size = patch_size
        self.noise_std = noise_std
        self.masked_only = masked_only
        patches = patch_index(d, patch_size, channels=dataset.channels)
        self.num_patches = int(patches[-1]) + 1
        self.register_buffer("pixel_patch", patches, persistent=False)
        known = _covariance(dataset).float() if expected else None
        self.register_buffer("covariance", known, persistent=False)
        self.A = nn.Parameter(torch.randn(d, rank, generator=generator) / d**0.5)
        self.B = nn.Parameter(torch.randn(rank, d, generator=generator) / d**0.5)

    def masks(self, n: int, generator: torch.Generator) -> Float[Tensor, "n d"]:
        """R of n images: 1 for the pixels that stay."""
        draw = torch.rand(
            n, self.num_patches, generator=generator, device=generator.device
        )
        return (draw >= self.mask_ratio).float()[:, self.pixel_patch]

    def prepare(self, batch: Batch, generator: torch.Generator) -> Any:
        """The pixels, those that stay, and what is seen; ``expected`` needs no draw."""
        x = batch.images.flatten(1)
        if self.covariance is not None:
            return x, x, x
        kept = self.masks(len(x), generator)
        seen = kept * x
        if self.noise_std > 0:
            grain = torch.empty_like(x).normal_(generator=generator)
            seen = seen + self.noise_std * kept * grain
        return x, kept, seen

    def forward(self, example: Any) -> Float[Tensor, ""]:
        """Mean squared error of the d pixels; with ``masked_only``, of the hidden ones.

        Sums are divided by the expected number of pixels, d or d m: times that it is
        the loss of the theory.
        """
        if self.covariance is not None:
            loss = self.expected_loss(self.A @ self.B, self.covariance)
            return loss / len(self.covariance)
        x, kept, seen = example
        error: Tensor = (x - seen @ self.A @ self.B).square()
        if not self.masked_only:
            return error.mean()
        masked: Tensor = (error * (1 - kept)).mean() / self.mask_ratio
        return masked

    def expected_loss(
        self, weights: Float[Tensor, "d d"], covariance: Float[Tensor, "d d"]
    ) -> Float[Tensor, ""]:
        """E ‖x - x̃ W‖² under the method's own masks and noise, over all pixels.

        tr C - (1-m) (2 tr(C W) - tr(Wᵀ V W)) with V = (1-m) C + m D + σ² I, since
        E x̃ x̃ᵀ = (1-m) V and E x̃ xᵀ = (1-m) C; D are the patches' blocks of C.

        Args:
            weights: W, e.g. A B.
            covariance: C.
        """
        m, explained = self.mask_ratio, 2 * (covariance * weights).sum()
        patch = self.pixel_patch.to(covariance.device)
        blocks = covariance * (patch[:, None] == patch)
        reached = ((1 - m) * covariance + m * blocks) @ weights
        reached = reached + self.noise_std**2 * weights
        return covariance.trace() - (1 - m) * (explained - (weights * reached).sum())

    def features(
        self, batch: Batch, ids_keep: Int64[Tensor, "n k"] | None = None
    ) -> dict[str, Float[Tensor, "n _"]]:
        """X A, as ``code`` and, for readers of every method's ``mean``, as that."""
        x = batch.images.flatten(1)
        if ids_keep is not None:
            kept = x.new_zeros(len(x), self.num_patches).scatter_(1, ids_keep, 1.0)
            x = x * kept[:, self.pixel_patch]
        code = x @ self.A
        return {"code": code, "mean": code}


def _covariance(dataset: Dataset) -> Tensor:
    """A world's covariance, where it is known."""
    if not isinstance(dataset, LinearGaussian):
        raise ValueError(f"{type(dataset).__name__} has no covariance; unset expected")
    return dataset.covariance()
