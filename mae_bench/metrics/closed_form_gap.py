"""How far a trained linear MAE is from the best one, which has a closed form."""

import math

import torch

from mae_bench.datasets import Batch, Dataset, LinearGaussian
from mae_bench.methods import Method
from mae_bench.methods.linear_mae import LinearMAE
from mae_bench.metrics import Skip, metric
from mae_bench.oracles.linear_mae import (
    all_pixels_loss,
    out_of_patch_share,
    radius,
    solve_all_pixels,
)
from mae_bench.oracles.principal_angle import principal_angle


@metric(
    reads="encoder",
    direction="none",
    lower=0.0,
    version=1,
    source="Bisulco et al. 2025, arXiv 2508.15404, Theorem 1",
)
def closed_form_gap(
    method: Method, dataset: Dataset, batch: Batch, generator: torch.Generator
) -> dict[str, float]:
    """Loss, subspace and reach of a trained linear MAE, beside those of the optimum.

    All are computed from the weights and the pixels' covariance: nothing is sampled.

    Args:
        method: A ``LinearMAE`` trained on all pixels.
        dataset: A Gaussian world, whose covariance is known.
        batch: Not looked at.
        generator: Not used.

    Returns:
        ``loss``: expected loss over the least of this rank, minus 1.
        ``angle``: largest principal angle between the row space of B and U_k, in
        radians. ``overlap_pca``: mean squared cosine of the angles between B and the
        top-k principal components. ``radius``: how far A B reaches, in pixels;
        ``out_of_patch_share``: of its weights. The last three also with
        ``_closed_form``, those of the optimum.

    Raises:
        Skip: Another method, loss or world.
    """
    del batch, generator
    if not isinstance(method, LinearMAE):
        raise Skip(f"{type(method).__name__} is no linear MAE")
    if method.masked_only:
        raise Skip("the closed form at every rank is of the loss on all pixels")
    if not isinstance(dataset, LinearGaussian):
        raise Skip(f"the pixels' covariance of {type(dataset).__name__} is not known")
    covariance, channels = dataset.covariance().cpu(), dataset.channels
    A, B = (w.detach().double().cpu() for w in (method.A, method.B))
    grid = math.isqrt(int(method.pixel_patch[-1]) + 1)
    m, p = method.mask_ratio, dataset.image_size // grid
    best = solve_all_pixels(covariance, m, p, len(B), channels=channels)
    loss = all_pixels_loss(A @ B, covariance, m, p, channels=channels)
    found = {
        "loss": loss.item() / best.loss - 1,
        "angle": principal_angle(B.T, best.subspace)[0].item(),
    }
    pca = torch.linalg.eigh(covariance).eigenvectors[:, -len(B) :]
    pairs = {"": (A, B), "_closed_form": (best.encoder, best.decoder)}
    for name, (encoder, decoder) in pairs.items():
        W = encoder @ decoder
        cosines = principal_angle(decoder.T, pca).cos()
        found |= {
            f"overlap_pca{name}": cosines.square().mean().item(),
            f"radius{name}": radius(W, channels=channels),
            f"out_of_patch_share{name}": out_of_patch_share(W, p, channels=channels),
        }
    return found
