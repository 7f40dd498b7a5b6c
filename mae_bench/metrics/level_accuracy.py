"""Held-out accuracy of a ridge classifier of every symbol of a discrete hierarchy."""

from jaxtyping import Float
from torch import Tensor

from mae_bench.metrics import Latents, Skip, metric, standardised
from mae_bench.metrics.linear_r2 import Ridge


def symbols_of(z: Float[Tensor, "n k"]) -> int | None:
    """How many symbols each node of a one-hot level has; None if it is not one-hot.

    >>> import torch
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
    unit="accuracy",
    lower=0.0,
    upper=1.0,
    best=1.0,
    version=2,
    source="Cagnetta et al. 2024, arXiv 2307.02129: probes of the symbols of a level",
)
def level_accuracy(train: Latents, val: Latents, test: Latents) -> dict[str, float]:
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

    >>> import torch
    >>> from mae_bench.metrics import Split
    >>> z = torch.eye(2)[torch.arange(20) % 2]
    >>> split = Split(3 - z, {"level_0": z})
    >>> level_accuracy(split, split, split)  # in earnest, three splits
    {'level_0': 1.0}
    """
    splits = (train, val, test)
    x, x_val, x_test = standardised(*splits)
    symbols = {k: v for k, z in train.target.items() if (v := symbols_of(z))}
    if not symbols:
        raise Skip(f"no level of {', '.join(train.target)} is of one-hot symbols")
    ridge = Ridge(x)
    scores = {}
    for level, v in symbols.items():
        z, z_val, z_test = (split.target[level].double() for split in splits)
        maps = ridge.maps(z - z.mean(0))
        best = accuracy(x_val @ maps + z.mean(0), z_val, v).argmax()
        score = x_test @ maps[best] + z.mean(0)
        scores[level] = float(accuracy(score, z_test, v))
    return scores
