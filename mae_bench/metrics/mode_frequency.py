"""How frequent a network takes a mode to be, and how good it is at what it was asked.

``mode_weight`` is of a model whose only parameter is the weight; this is of networks.
"""

import torch
from torch import Tensor

from mae_bench.datasets import Batch, Dataset
from mae_bench.datasets.ising_phases import IsingPhases
from mae_bench.datasets.skewed_hierarchy import SkewedHierarchy
from mae_bench.datasets.two_modes import TwoModes
from mae_bench.methods import Method
from mae_bench.methods.full_mask_mae import unseen
from mae_bench.methods.mae import MAE
from mae_bench.metrics import Skip, metric
from mae_bench.models.vit import unpatchify
from mae_bench.oracles.ceilings import pixel_mask
from mae_bench.oracles.mode_frequency import (
    implied_weight,
    least_error,
    mode_means,
    mode_posterior,
)


@metric(
    reads="encoder",
    direction="none",
    version=1,
    unit={
        "weight": "share of images",
        "error": "share of images",
        "loss": "squared pixels",
        "uncertainty": "share of the prior variance",
        "*": "share of the least loss",
    },
    source="Cai & Shi 2026, arXiv 2608.01383; their theory is of models, not networks",
)
def mode_frequency(
    method: Method, dataset: Dataset, batch: Batch, generator: torch.Generator
) -> dict[str, float]:
    """The mode's weight in what an MAE predicts with nothing visible, and its loss.

    Args:
        method: An MAE that predicts pixels.
        dataset: A world of two modes whose weight is known.
        batch: Images, a mask for each.
        generator: Draws the masks.

    Returns:
        ``weight``: λ of ``implied_weight``, not held to [0, 1]; ``error``: |λ - w|.
        ``loss``: mean squared error of masked pixels under the method's own masks;
        where the exact answer is known also ``excess``, that over Bayes' less 1,
        ``excess_blind``, the same of who guesses the mean image, and ``uncertainty``,
        U: E π (1 - π) of the mode given what is visible, as a share of w (1 - w).

    Raises:
        Skip: Another method or world, normalised targets, or a bottleneck.
    """
    if not isinstance(method, MAE) or method.norm_pix_loss or method.encoder.bottleneck:
        raise Skip(f"{type(method).__name__} paints no image of which nothing is seen")
    if not isinstance(dataset, IsingPhases | SkewedHierarchy | TwoModes):
        raise Skip(f"{type(dataset).__name__} has no two modes of a known weight")
    means, patch_size = mode_means(dataset), method.encoder.patch_size
    guess = unpatchify(unseen(method, batch.images), patch_size)[0].cpu()
    weight = implied_weight(guess, means)
    prediction, target, masking = method.reconstruct(batch, generator)
    loss = (prediction - target).double().square().mean().item()
    found = {"weight": weight, "error": abs(weight - dataset.weight), "loss": loss}
    mask = pixel_mask(masking.mask, patch_size, dataset.channels)
    least = least_error(dataset, batch.images, mask)
    posterior = mode_posterior(dataset, batch.images, mask)
    if least is None or posterior is None:
        return found
    spread = dataset.weight * (1 - dataset.weight)
    found["excess"] = loss / least - 1
    found["excess_blind"] = _blind(dataset.weight, means, batch, mask) / least - 1
    found["uncertainty"] = float((posterior * (1 - posterior)).mean() / spread)
    return found


def _blind(weight: float, means: Tensor, batch: Batch, mask: Tensor) -> float:
    """Mean squared error of a masked pixel, of the mean image."""
    mean = (weight * means[0] + (1 - weight) * means[1]).to(batch.images.device)
    squares = (batch.images.double() - mean).square().flatten(1)
    return float(squares[mask == 1].mean())
