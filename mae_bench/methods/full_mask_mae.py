"""MAE that is shown nothing at all of a small share of its images."""

from typing import Any, ClassVar

import torch
from jaxtyping import Float
from torch import Tensor

from mae_bench.datasets import Dataset
from mae_bench.methods.mae import MAE
from mae_bench.models.masking import Masking


class FullMaskMAE(MAE):
    """An MAE of masks (1 - π) δ_ratio + π δ_1: of so many images all is masked.

    From the class token alone the decoder predicts the same of every image, so that
    full masks cost one image a step, and their number need not be drawn: of n images
    the first round(π n) are those, on which the usual masks are not used.

    ``masking``, and with it the masked view and ``reconstruct``, is MAE's.

    References:
        Cai & Shi 2026, arXiv 2608.01383: schedules (1 - π) δ_m + π δ_s of masks.
    """

    version: ClassVar[int] = 1
    joins: ClassVar[tuple[str, ...]] = ()

    def __init__(
        self,
        dataset: Dataset,
        generator: torch.Generator,
        *,
        full_masks: float = 0.05,
        **mae: Any,
    ) -> None:
        """Build an MAE.

        Args:
            dataset: The world that it learns from.
            generator: Draws the initial weights, the encoder's first.
            full_masks: π, share of images of which all is masked, in (0, 1).
            mae: See ``MAE``.

        Raises:
            ValueError: A share out of range, or of which a batch has no image; or a
                bottleneck.
        """
        super().__init__(dataset, generator, **mae)
        if self.encoder.bottleneck:
            raise ValueError(
                f"bottleneck is {self.encoder.bottleneck}, and of nothing visible "
                "there is no code; choose 0"
            )
        if not 0 < full_masks < 1:
            raise ValueError(f"full_masks is {full_masks}; choose in (0, 1)")
        if round(full_masks * self.batch_size) in (0, self.batch_size):
            raise ValueError(
                f"full_masks {full_masks} of batch_size {self.batch_size} leaves no "
                "image on one side; choose a larger batch or another share"
            )
        self.full_masks = full_masks

    def forward(self, example: Any) -> Float[Tensor, ""]:
        """Mean over images of the squared error of what is masked of each."""
        images, seen, masking = example
        full = max(1, round(self.full_masks * len(images)))
        rest = Masking(masking.ids_keep[full:], masking.ids_masked[full:])
        tokens = self.forward_encoder(seen[full:], rest)
        partly = self.objective(images[full:], tokens, rest)
        guess = unseen(self, images).expand(full, -1, -1)
        every = torch.arange(guess.shape[1], device=images.device).expand(full, -1)
        wholly = self.forward_loss(images[:full], guess, Masking(every[:, :0], every))
        share = full / len(images)
        return (1 - share) * partly + share * wholly


def unseen(method: MAE, images: Float[Tensor, "n c h w"]) -> Float[Tensor, "1 l p"]:
    """What an MAE predicts of every patch of an image of which nothing is visible.

    Args:
        method: The MAE.
        images: Whose shape the image has; they are not looked at.
    """
    every = torch.arange(method.encoder.num_patches, device=images.device)[None]
    masking = Masking(every[:, :0], every)
    tokens = method.forward_encoder(torch.zeros_like(images[:1]), masking)
    return method.forward_decoder(tokens, masking)
