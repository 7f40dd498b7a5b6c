"""A ViT that is shown some patches of an image, and what it is shown."""

from typing import Any, ClassVar

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from mae_bench.datasets import Batch, Dataset
from mae_bench.methods import ViTMethod
from mae_bench.models.augmentation import crops
from mae_bench.models.masking import Masking, patches_a_unit, random_masking
from mae_bench.models.vit import patchify
from mae_bench.records.schema import Track


class MaskedViT(ViTMethod):
    """A method that hides patches: the difference between methods is what they ask."""

    track: ClassVar[Track] = "pixels"

    def __init__(
        self,
        dataset: Dataset,
        generator: torch.Generator,
        *,
        mask_ratio: float = 0.75,
        mask_unit: int = 0,
        mask_family: str = "random",
        crops: float = 0.0,
        **encoder: Any,
    ) -> None:
        """Build the encoder.

        Args:
            dataset: The world that it learns from.
            generator: Draws the initial weights.
            mask_ratio: Share of the mask units that is hidden, in (0, 1).
            mask_unit: Side of a mask unit in pixels, a multiple of the patch size; 0
                for the patch size.
            mask_family: ``random``, ``block``, ``grid``, ``aligned``, the colour of
                a noise (``green``), or a fixed mask; see ``random_masking``.
            crops: Share of an image's area that is seen at least, of a random crop at
                full size, half of them flipped; 0 for whole images.
            encoder: See ``ViTMethod``.

        Raises:
            ValueError: Sizes that do not divide, or masks that cannot be drawn.
        """
        super().__init__(dataset, generator, **encoder)
        self.mask_ratio = mask_ratio
        self.mask_family = mask_family
        self.crops = crops
        self.mask_unit = mask_unit or self.encoder.patch_size
        # Masks that cannot be drawn are refused here, not at the first step.
        self.masking(1, torch.Generator().manual_seed(0))

    def masking(self, n: int, generator: torch.Generator) -> Masking:
        """Masks for n images."""
        return self.masking_at(n, self.mask_ratio, generator)

    def masking_at(
        self, n: int, mask_ratio: float, generator: torch.Generator
    ) -> Masking:
        """Masks for n images, of another ratio."""
        return random_masking(
            n,
            self.encoder.grid_size,
            mask_ratio,
            generator,
            family=self.mask_family,
            unit=patches_a_unit(self.mask_unit, self.encoder.patch_size),
        )

    def asked(self, masking: Masking) -> Int64[Tensor, "n m"]:
        """The patches that are to be told: the masked ones."""
        return masking.ids_masked

    def patches(
        self, images: Float[Tensor, "n c h w"], ids: Int64[Tensor, "n m"]
    ) -> Float[Tensor, "n m p"]:
        """Pixels of some patches."""
        patches = patchify(images, self.encoder.patch_size)
        return patches.gather(1, ids[..., None].expand(-1, -1, patches.shape[-1]))

    def prepare(self, batch: Batch, generator: torch.Generator) -> Any:
        """The images and their masks."""
        images = self.viewed(batch, generator)
        return images, self.masking(len(batch), generator)

    def viewed(
        self, batch: Batch, generator: torch.Generator
    ) -> Float[Tensor, "n c h w"]:
        """What it learns from: the images, or crops of them."""
        return (
            crops(batch.images, generator, self.crops) if self.crops else batch.images
        )
