"""R²MAE (Dong et al. 2025): an MAE whose mask ratio is drawn afresh at every step."""

from typing import Any, ClassVar

import torch

from mae_bench.datasets import Batch, Dataset
from mae_bench.methods.mae import MAE
from mae_bench.models.on_host import on_host


class R2MAE(MAE):
    """MAE, each step of which masks p ~ U(mask_ratio_min, mask_ratio_max) of the units.

    Reading taken: one p a step, which all its images share, so that a step's images
    keep as many patches, of which whole units stay, as in ``visible_units``: a grid of
    16 units has six counts between 0.6 and 0.9. That range, about MAE's 0.75, is this
    house's; it was not chosen by a result.

    Training alone draws p. ``masking``, and with it the masked view and
    ``reconstruct``, keeps ``mask_ratio``, by default the middle of the range, or
    errors could not be compared with MAE's.

    Examples of two seeds differ in shape, so trainings cannot be stacked, even where
    their first examples happen to agree.

    References:
        2509.21650, randomly random mask autoencoding.
    """

    version: ClassVar[int] = 1

    def __init__(
        self,
        dataset: Dataset,
        generator: torch.Generator,
        *,
        mask_ratio_min: float = 0.6,
        mask_ratio_max: float = 0.9,
        **mae: Any,
    ) -> None:
        """Build an MAE.

        Args:
            dataset: The world that it learns from.
            generator: Draws the initial weights, the encoder's first.
            mask_ratio_min: Least share of the mask units that is hidden, in (0, 1).
            mask_ratio_max: Largest share, not below the least.
            mae: See ``MAE``; ``mask_ratio`` is that of the evaluation.

        Raises:
            ValueError: An empty range, or masks that cannot be drawn at its ends.
        """
        super().__init__(dataset, generator, **mae)
        if not mask_ratio_min <= mask_ratio_max:
            raise ValueError(
                f"mask_ratio_min {mask_ratio_min} is above mask_ratio_max "
                f"{mask_ratio_max}; exchange them"
            )
        self.mask_ratio_min = mask_ratio_min
        self.mask_ratio_max = mask_ratio_max
        for end in (mask_ratio_min, mask_ratio_max):
            self.masking_at(1, end, torch.Generator().manual_seed(0))

    def prepare(self, batch: Batch, generator: torch.Generator) -> Any:
        """The images, what the encoder is shown of them, and masks of a drawn ratio."""
        images = self.viewed(batch, generator)
        share = torch.rand((), generator=on_host(generator)).item()
        width = self.mask_ratio_max - self.mask_ratio_min
        ratio = self.mask_ratio_min + share * width
        masking = self.masking_at(len(batch), ratio, generator)
        return images, self.corrupt(images, generator), masking
