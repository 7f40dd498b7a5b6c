"""Held-out R² of ridge regression from features to latents: linear identifiability."""

import torch
from jaxtyping import Float, Float64
from torch import Tensor

from mae_bench.metrics import Headline, Latents, metric, standardise, standardised

# A share of the features' variance; strongest first, so that ties shrink more.
ALPHAS = tuple(10.0**power for power in range(3, -7, -1))


def r2(
    prediction: Float[Tensor, "*a n k"], target: Float[Tensor, "n k"]
) -> Float[Tensor, "*a"]:
    """R² averaged uniformly over coordinates; a constant coordinate counts as 0.

    Returns:
        At most 1; 0 for the mean of ``target``; unbounded below.

    >>> target = torch.tensor([[1.0, 1.0], [3.0, 1.0]])
    >>> r2(target, target), r2(torch.full((2, 2), 2.0), target)
    (tensor(0.5000), tensor(0.))
    """
    residual = (target - prediction).square().sum(-2)
    total = (target - target.mean(0)).square().sum(0)
    return torch.where(total > 0, 1 - residual / total, 0.0).mean(-1)


def principal_axes(
    x: Float64[Tensor, "n d"],
) -> tuple[Float64[Tensor, " r"], Float64[Tensor, "d r"]]:
    """Variances and orthonormal axes of centred features, r at most ``min(n, d)``.

    Wide features are factored through their ``n x n`` Gram matrix; directions in
    which they do not vary are left out, since no penalised map uses them.

    >>> principal_axes(torch.tensor([[0.0, 3.0, 0.0], [0.0, -3.0, 0.0]]).double())[0]
    tensor([9.], dtype=torch.float64)
    """
    n, d = x.shape
    if d <= n:
        variances, axes = torch.linalg.eigh(x.T @ x / n)
        return variances, axes
    variances, modes = torch.linalg.eigh(x @ x.T / n)
    varies = variances > 1e-12 * variances[-1]
    axes = x.T @ modes[:, varies] / (n * variances[varies]).sqrt()
    return variances[varies], axes


class Ridge:
    """Ridge regressions on the same features, for each alpha of ``ALPHAS``.

    They minimise ``|XW - Z|² / n + alpha |W|²``; one eigendecomposition serves all
    alphas and all Z.
    """

    def __init__(self, x: Float64[Tensor, "n d"]) -> None:
        """Factor the features, which are centred."""
        variances, self._axes = principal_axes(x)
        self._shrunk = variances + torch.tensor(ALPHAS, device=x.device)[:, None]
        self._x = x

    def maps(self, z: Float64[Tensor, "n k"]) -> Float64[Tensor, "a d k"]:
        """W of each alpha."""
        x, axes, shrunk = self._x, self._axes, self._shrunk
        return axes @ ((axes.T @ (x.T @ z / len(x))) / shrunk[:, :, None])


@metric(
    reads="latents",
    direction="max",
    unit="R2",
    upper=1.0,
    best=1.0,
    chance=0.0,
    version=2,
    source="Zimmermann et al. 2021, arXiv 2102.08850; here with ridge and held out",
    headlines=(Headline("level_0"),),
)
def linear_r2(train: Latents, val: Latents, test: Latents) -> dict[str, float]:
    """How much of each latent level a linear map of the features recovers.

    ``Ridge`` on standardised features and latents; the alpha of ``ALPHAS`` that is best
    on ``val`` is reported on ``test``, for each level its own.

    Args:
        train: Features ``[n, d]``, level -> latents ``[n, k]``; fits the map.
        val: Chooses alpha.
        test: Is reported.

    Returns:
        Level -> R², averaged over the level's coordinates. Without the held-out split
        n noise features of n images would score 1.

    Raises:
        ValueError: NaN features, or fewer than 10 images in a split.

    >>> from mae_bench.metrics import Split
    >>> z = torch.arange(30.0)[:, None]
    >>> split = Split(torch.cat([z, 7 - 2 * z], dim=1), {"level_0": z})
    >>> round(linear_r2(split, split, split)["level_0"], 4)  # in earnest, three splits
    1.0
    """
    splits = (train, val, test)
    x, x_val, x_test = standardised(*splits)
    ridge = Ridge(x)
    scores = {}
    for level in train.target:
        z, z_val, z_test = standardise(*(split.target[level] for split in splits))
        maps = ridge.maps(z)
        best = r2(x_val @ maps, z_val).argmax()
        scores[level] = float(r2(x_test @ maps[best], z_test))
    return scores
