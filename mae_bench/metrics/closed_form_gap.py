"""How far a trained linear MAE is from the best one, which has a closed form."""

import torch
from torch import Tensor

from mae_bench.datasets import Batch, Dataset, LinearGaussian
from mae_bench.methods import Method
from mae_bench.methods.linear_mae import LinearMAE
from mae_bench.metrics import Skip, metric
from mae_bench.oracles.linear_mae import (
    out_of_patch_share,
    radius,
    solve_all_pixels,
    solve_denoising,
)
from mae_bench.oracles.principal_angle import principal_angle


@metric(
    reads="encoder",
    direction="none",
    unit={
        "loss*": "share of the least loss",
        "angle": "radians",
        "overlap*": "squared cosine",
        "radius*": "pixels",
        "*": "share of the weights",
    },
    lower=0.0,
    version=2,
    source="Bisulco et al. 2025, arXiv 2508.15404, Theorem 1",
)
def closed_form_gap(
    method: Method, dataset: Dataset, batch: Batch, generator: torch.Generator
) -> dict[str, float]:
    """Loss, subspace and reach of a trained linear MAE, beside those of the optimum.

    All are computed from the weights and the pixels' covariance: nothing is sampled.
    The optimum is that of the method's own masks, or of its noise where it has no
    masks, and with neither the principal components.

    Args:
        method: A ``LinearMAE`` trained on all pixels.
        dataset: A Gaussian world, whose covariance is known.
        batch: Not looked at.
        generator: Not used.

    Returns:
        ``loss``: expected loss over the least of this rank, minus 1. ``loss_pca``: the
        same of the principal components, the best where nothing is hidden.
        ``angle``: largest principal angle between the row space of B and U_k, in
        radians; ``overlap``: mean squared cosine of these angles. ``overlap_pca``: that
        between B and the top-k principal components. ``radius``: how far A B reaches,
        in pixels; ``out_of_patch_share``: of its weights. The last three also with
        ``_closed_form``, those of the optimum.

    Raises:
        Skip: Another method, loss or world; masks and noise together.
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
    p, rank = method.patch_size, len(B)
    if method.mask_ratio == 0:
        best = solve_denoising(covariance, method.noise_std, rank)
    elif method.noise_std == 0:
        m = method.mask_ratio
        best = solve_all_pixels(covariance, m, p, rank, channels=channels)
    else:
        raise Skip("there is no closed form here of masks and noise together")
    pca = torch.linalg.eigh(covariance).eigenvectors[:, -rank:]

    def excess(weights: Tensor) -> float:
        return method.expected_loss(weights, covariance).item() / best.loss - 1

    found = {
        "loss": excess(A @ B),
        "loss_pca": excess(pca @ pca.T),
        "angle": principal_angle(B.T, best.subspace)[0].item(),
        "overlap": _overlap(B.T, best.subspace),
    }
    pairs = {"": (A, B), "_closed_form": (best.encoder, best.decoder)}
    for name, (encoder, decoder) in pairs.items():
        W = encoder @ decoder
        found |= {
            f"overlap_pca{name}": _overlap(decoder.T, pca),
            f"radius{name}": radius(W, channels=channels),
            f"out_of_patch_share{name}": out_of_patch_share(W, p, channels=channels),
        }
    return found


def _overlap(U: Tensor, V: Tensor) -> float:
    """Mean squared cosine of the principal angles, in [0, 1]."""
    return principal_angle(U, V).cos().square().mean().item()
