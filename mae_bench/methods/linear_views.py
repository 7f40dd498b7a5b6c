"""A linear encoder of views: to reconstruct the image, or to agree with another view.

Or, without views, to reconstruct the image from itself. The limit that training should
meet is in ``oracles/aligned_views.py``.
"""

from typing import Any, ClassVar

import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn

from mae_bench.datasets import Batch, Dataset
from mae_bench.methods import Method
from mae_bench.models.augmentation import augment
from mae_bench.records.schema import Track

OBJECTIVES = ("reconstruction", "joint_embedding", "autoencoding")


class LinearViews(Method):
    """x̃ -> x̃ A, trained on ‖x - x̃ A B‖² or by the spectral contrastive loss.

    Views x̃ are what the world says they are (``Dataset.redraw``), and augmentations
    where it says nothing; the loss of
    ``reconstruction`` sees one of each image and the image, that of
    ``joint_embedding`` two, and no images, that of ``autoencoding`` images alone.

    References:
        Van Assel et al. 2025, arXiv 2505.12477: the two paradigms on linear models.
    """

    version: ClassVar[int] = 1
    track: ClassVar[Track] = "causes"
    joins: ClassVar[tuple[str, ...]] = ()

    def __init__(
        self,
        dataset: Dataset,
        generator: torch.Generator,
        *,
        objective: str = "reconstruction",
        rank: int = 4,
        lr: float = 2e-2,
        weight_decay: float = 0.0,
        **budget: Any,
    ) -> None:
        """Draw A and, to reconstruct, B.

        Args:
            dataset: The world that it learns from.
            generator: Draws the initial weights.
            objective: ``reconstruction``, ``joint_embedding`` or ``autoencoding``.
            rank: k, in 1..d with d = c h w.
            lr: Peak learning rate.
            weight_decay: 0 for the theory's optimum.
            budget: See ``Method``.

        Raises:
            ValueError: A setting is outside its range.
        """
        super().__init__(dataset, generator, lr=lr, weight_decay=weight_decay, **budget)
        d = dataset.channels * dataset.image_size**2
        if objective not in OBJECTIVES:
            raise ValueError(
                f"objective is {objective!r}; choose one of {', '.join(OBJECTIVES)}"
            )
        if not 1 <= rank <= d:
            raise ValueError(f"rank is {rank}; give an integer in 1..{d}")
        self.objective = objective
        self.A = nn.Parameter(torch.randn(d, rank, generator=generator) / d**0.5)
        if objective != "joint_embedding":
            self.B = nn.Parameter(torch.randn(rank, d, generator=generator) / d**0.5)

    def prepare(self, batch: Batch, generator: torch.Generator) -> Any:
        """A view of each image, and what it is held against: the image or a second.

        To autoencode, the image twice.
        """
        one, other = (_view(self.dataset, batch, generator) for _ in range(2))
        if self.objective != "joint_embedding":
            other = batch.images
        if self.objective == "autoencoding":
            one = batch.images
        return one.flatten(1), other.flatten(1)

    def forward(self, example: Any) -> Float[Tensor, ""]:
        """Mean squared error of the d pixels, or the spectral contrastive loss."""
        view, other = example
        if self.objective != "joint_embedding":
            error: Tensor = (other - view @ self.A @ self.B).square().mean()
            return error
        return by_moments(view @ self.A, other @ self.A)

    def features(
        self, batch: Batch, ids_keep: Int64[Tensor, "n k"] | None = None
    ) -> dict[str, Float[Tensor, "n _"]]:
        """X A, as ``code`` and ``mean``.

        Raises:
            ValueError: A masked view is asked for.
        """
        if ids_keep is not None:
            raise ValueError("its views are noisy, not masked; leave ids_keep out")
        code = batch.images.flatten(1) @ self.A
        return {"code": code, "mean": code}


def _view(
    dataset: Dataset, batch: Batch, generator: torch.Generator
) -> Float[Tensor, "n c h w"]:
    redrawn = dataset.redraw(batch, generator)
    return augment(batch.images, generator) if redrawn is None else redrawn.images


def by_moments(z1: Float[Tensor, "n k"], z2: Float[Tensor, "n k"]) -> Float[Tensor, ""]:
    """``spectral_contrastive_loss`` in O(n k²): few features, and many images.

    Σ_ij (z1_i · z2_j)² = tr Z1ᵀZ1 Z2ᵀZ2.
    """
    n, agreement = len(z1), (z1 * z2).sum(1)
    squared = ((z1.T @ z1) * (z2.T @ z2)).sum() - agreement.square().sum()
    return squared / (n * (n - 1)) - 2 * agreement.mean()
