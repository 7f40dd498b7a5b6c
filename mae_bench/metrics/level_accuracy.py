"""Held-out accuracy of a ridge classifier of every symbol of a discrete hierarchy."""

from collections.abc import Mapping

import torch
from jaxtyping import Float
from torch import Tensor

from mae_bench.metrics import Skip, Split, check_splits, metric, standardise
from mae_bench.metrics.linear_r2 import ALPHAS, principal_axes


def symbols_of(z: Float[Tensor, "n k"]) -> int | None:
    """How many symbols each node of a one-hot level has; None if it is not one-hot.

    >>> symbols_of(torch.tensor([[1.0, 0.0, 0.0, 1.0], [0.0, 1.0, 0.0, 1.0]]))
    2
    >>> symbols_of(torch.tensor([[0.5, 0.5]]))
    """
    if not ((z == 0) | (z == 1)).all():
        return None
    nodes = int(z[0].sum())
    if nodes == 0 or z.shape[1] % nodes or z.shape[1] == nodes:
        return None
    symbols = z.shape[1] // nodes
    one = (z.view(len(z), nodes, symbols).sum(2) == 1).all()
    return symbols if one else None


def accuracy(
    score: Float[Tensor, "*a n k"], z: Float[Tensor, "n k"], symbols: int
) -> Float[Tensor, "*a"]:
    """Share of the nodes whose symbol has the highest score."""
    guess = score.view(*score.shape[:-1], -1, symbols).argmax(-1)
    truth = z.view(len(z), -1, symbols).argmax(-1)
    return (guess == truth).double().mean((-2, -1))


@metric(
    reads="latents",
    direction="max",
    lower=0.0,
    upper=1.0,
    best=1.0,
    version=2,
    source="Cagnetta et al. 2024, arXiv 2307.02129: probes of the symbols of a level",
)
def level_accuracy(
    train: Split[Mapping[str, Tensor]],
    val: Split[Mapping[str, Tensor]],
    test: Split[Mapping[str, Tensor]],
) -> dict[str, float]:
    """How often a linear map of the features tells the symbol of a node.

    Ridge regression of the features on one-hot symbols, and of each node the symbol of
    the highest score; the alpha of ``ALPHAS`` that is best on ``val`` is reported on
    ``test``, for each level its own.

    Chance is the share of the commonest symbol, but pixels from which no linear map
    can predict a symbol may still score above it: the highest of several scores also
    depends on their spread. Compare with an untrained encoder.

    Args:
        train: Features ``[n, d]``, level -> one-hot symbols ``[n, nodes v]``.
        val: Chooses alpha.
        test: Is reported.

    Returns:
        Level -> accuracy, the mean over nodes and images; of one-hot levels alone.

    Raises:
        Skip: No level is one-hot.
        ValueError: NaN features, or fewer than 10 images in a split.
    """
    splits = (train, val, test)
    check_splits(*splits)
    symbols = {k: v for k, z in train.target.items() if (v := symbols_of(z))}
    if not symbols:
        raise Skip(f"no level of {', '.join(train.target)} is of one-hot symbols")
    x, x_val, x_test = standardise(*(split.features for split in splits))
    variances, axes = principal_axes(x)
    shrunk = variances + torch.tensor(ALPHAS, device=x.device)[:, None]
    scores = {}
    for level, v in symbols.items():
        z, z_val, z_test = (split.target[level].double() for split in splits)
        centred = z - z.mean(0)
        maps = axes @ ((axes.T @ (x.T @ centred / len(x))) / shrunk[:, :, None])
        best = accuracy(x_val @ maps + z.mean(0), z_val, v).argmax()
        score = x_test @ maps[best] + z.mean(0)
        scores[level] = float(accuracy(score, z_test, v))
    return scores
