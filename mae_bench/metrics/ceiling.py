"""The most that any encoder could know of each latent level, exactly."""

import torch

from mae_bench.datasets import Batch, Dataset
from mae_bench.methods import Method
from mae_bench.methods.mae import MAE
from mae_bench.metrics import Skip, metric
from mae_bench.oracles.ceilings import pixel_mask, recoverable


@metric(
    reads="encoder",
    direction="none",
    unit="R2 of numbers, accuracy of symbols",
    lower=0.0,
    upper=1.0,
    version=1,
    source="oracles/ceilings: Gaussian conditioning, belief propagation, redraws",
)
def ceiling(
    method: Method, dataset: Dataset, batch: Batch, generator: torch.Generator
) -> dict[str, float]:
    """Recoverable R², or Bayes accuracy of symbols, from whole and from masked images.

    It looks at no feature: the method only says which masks it is trained with.

    Args:
        method: One that masks patches has ceilings for its masks, too.
        dataset: A world with an exact answer.
        batch: Images, a mask for each.
        generator: Draws the masks, and what an invertible tree's hide.

    Returns:
        ``level_0/unmasked`` and, for MAE, ``level_0/masked``; likewise each level.
        Belief propagation is exact for each image; its mean is over these images.

    Raises:
        Skip: The world has no exact answer.
    """
    whole = torch.zeros(1, batch.images[0].numel(), device=batch.images.device)
    views = {"unmasked": whole}
    if isinstance(method, MAE):
        mask = method.masking(len(batch), generator).mask
        patch_size = method.encoder.patch_size
        views["masked"] = pixel_mask(mask, patch_size, dataset.channels)
    found = {
        f"{level}/{view}": value
        for view, mask in views.items()
        for level, value in recoverable(dataset, batch, mask, generator).items()
    }
    if not found:
        raise Skip(f"{type(dataset).__name__} has no exact answer")
    return found
