"""Held-out R² of kernel regression from features to latents: block identifiability."""

from collections.abc import Mapping
from typing import NamedTuple

import torch
from jaxtyping import Float, Float64
from torch import Tensor

from mae_bench.metrics import (
    Headline,
    Latents,
    Split,
    check_splits,
    metric,
    standardise,
)
from mae_bench.metrics.linear_r2 import r2

ALPHAS = (1.0, 0.1, 0.01, 0.001)
GAMMAS = (1e-2, 10 ** (-2 / 3), 10 ** (2 / 3), 1e2)
MAX_ROWS = 1000


class Fit(NamedTuple):
    """One level's regression: its dual coefficients, and what they were chosen by."""

    score: float
    gamma: float
    dual: Tensor


def rbf(
    a: Float[Tensor, "n d"], b: Float[Tensor, "m d"], gamma: float
) -> Float[Tensor, "n m"]:
    """Kernel ``exp(-gamma |a - b|² / d)``.

    >>> rbf(torch.zeros(1, 2), torch.ones(1, 2), gamma=0.0)
    tensor([[1.]])
    """
    return torch.cdist(a, b).square_().mul_(-gamma / a.shape[1]).exp_()


def fit(
    x: Float64[Tensor, "n d"],
    x_val: Float64[Tensor, "m d"],
    z: Mapping[str, Float64[Tensor, "n _"]],
    z_val: Mapping[str, Float64[Tensor, "m _"]],
) -> dict[str, Fit]:
    """Each level's best regression on ``val``; all levels share each factorisation."""
    best: dict[str, Fit] = {}
    widths = [level.shape[1] for level in z.values()]
    targets = torch.cat(list(z.values()), dim=1)
    for gamma in GAMMAS:
        kernel, kernel_val = rbf(x, x, gamma), rbf(x_val, x, gamma)
        for alpha in ALPHAS:
            ridge = alpha * torch.eye(len(x), dtype=x.dtype, device=x.device)
            factor = torch.linalg.cholesky(kernel + ridge)
            duals = torch.split(torch.cholesky_solve(targets, factor), widths, dim=1)
            for level, dual in zip(z, duals, strict=True):
                score = float(r2(kernel_val @ dual, z_val[level]))
                if level not in best or score > best[level].score:
                    best[level] = Fit(score, gamma, dual)
    return best


@metric(
    reads="latents",
    direction="max",
    unit="R2",
    upper=1.0,
    best=1.0,
    chance=0.0,
    version=2,
    source="von Kügelgen et al. 2021, arXiv 2106.04619; its grid, with gamma / d",
    headlines=(Headline("level_0"),),
)
def block_r2(train: Latents, val: Latents, test: Latents) -> dict[str, float]:
    """How much of each latent level any smooth map of the features recovers.

    Kernel ridge regression on standardised features and latents, with alpha in
    ``{1, .1, .01, .001}`` added to the kernel's diagonal and gamma in
    ``logspace(-2, 2, 4)``. Gamma is divided by the width d, since squared distances
    of standardised features grow with it (the paper's grid is not, and has d = 5).
    Fitted on the first 1000 training images, so it is a lower bound: few images and
    wide features hide what is there.

    Args:
        train: Features ``[n, d]``, level -> latents ``[n, k]``; fits the map.
        val: Chooses alpha and gamma, for each level.
        test: Is reported.

    Returns:
        Level -> R², averaged over the level's coordinates.

    Raises:
        ValueError: NaN features, or fewer than 10 images in a split.

    >>> from mae_bench.metrics import Split
    >>> z = torch.linspace(-1, 1, 30)[:, None]
    >>> split = Split(z**3, {"level_0": z})
    >>> round(block_r2(split, split, split)["level_0"], 1)  # in earnest, three splits
    1.0
    """
    check_splits(train, val, test)
    first = Split(
        train.features[:MAX_ROWS],
        {level: z[:MAX_ROWS] for level, z in train.target.items()},
    )
    splits = (first, val, test)
    x, x_val, x_test = standardise(*(split.features for split in splits))
    z, z_val, z_test = {}, {}, {}
    for level in train.target:
        z[level], z_val[level], z_test[level] = standardise(
            *(split.target[level] for split in splits)
        )
    return {
        level: float(r2(rbf(x_test, x, chosen.gamma) @ chosen.dual, z_test[level]))
        for level, chosen in fit(x, x_val, z, z_val).items()
    }
