"""What a masked predictor knows of the weight of a mode, beside what it could see."""

import math

import torch
from scipy.special import logit

from mae_bench.datasets import Batch, Dataset
from mae_bench.datasets.two_modes import TwoModes
from mae_bench.methods import Method
from mae_bench.methods.mode_witness import ModeWitness
from mae_bench.metrics import Skip, metric
from mae_bench.oracles.mode_blindness import (
    mode_uncertainty,
    schedule_uncertainty,
    uncertainty_bound,
)


@metric(
    reads="encoder",
    direction="none",
    unit={"decay*": "nats", "*": "share of the first error"},
    version=1,
    source="Cai & Shi 2026, arXiv 2608.01383",
)
def mode_weight(
    method: Method, dataset: Dataset, batch: Batch, generator: torch.Generator
) -> dict[str, float]:
    """How wrong the weight still is, and how uncertain the mode is from what is seen.

    Args:
        method: A ``ModeWitness`` that began at equal weights.
        dataset: ``TwoModes`` of other than equal weights.
        batch: Images, of which random spins are shown.
        generator: Draws them.

    Returns:
        ``error``: logit w - logit λ, over what it was at first; 1 if nothing was
        learned, 0 if all was. ``error_exact``: exp(-U t) of gradient flow.
        ``error_full``: the same if all masks were full.
        ``decay``, where masks are of one ratio: log of E π (1 - π) over the images with
        so many spins visible, less that of the bound √(w (1-w)) (1 - θ²)^{m/2} / 2; and
        ``decay_exact``.

    Raises:
        Skip: Another method or world; equal weights.
    """
    if not isinstance(method, ModeWitness):
        raise Skip(f"{type(method).__name__} is no model of two modes")
    if not isinstance(dataset, TwoModes) or dataset.weight == 0.5:
        raise Skip("there are no two modes of unequal weight to be learned")
    law = (dataset.theta, dataset.weight)
    tokens = dataset.image_size**2
    time = method.lr * method.last_step
    sensitivity = schedule_uncertainty(
        tokens,
        *law,
        mask_ratio=method.mask_ratio,
        uniform=method.uniform,
        full_masks=method.full_masks,
    )
    found = {
        "error": 1 - method.logit.item() / float(logit(dataset.weight)),
        "error_exact": math.exp(-sensitivity * time),
        "error_full": math.exp(-mode_uncertainty(0, *law) * time),
    }
    if method.uniform or method.full_masks:
        return found
    visible = round((1 - method.mask_ratio) * tokens)
    spins = batch.images.flatten(1).sign()
    order = torch.rand(spins.shape, generator=generator, device=generator.device)
    seen = spins.gather(1, order.argsort(1)[:, :visible].to(spins.device)).double()
    odds = float(logit(dataset.weight)) + 2 * math.atanh(dataset.theta) * seen.sum(1)
    posterior = odds.sigmoid()
    uncertainty = (posterior * (1 - posterior)).mean().item()
    bound = uncertainty_bound(visible, *law)
    found["decay"] = math.log(uncertainty / bound)
    found["decay_exact"] = math.log(mode_uncertainty(visible, *law) / bound)
    return found
