"""Of what can be known of each latent level beyond a guess, what a linear probe finds.

``ceiling_ratio`` divides an accuracy by that of Bayes. Where a mask leaves little to be
known both come near to that of a blind guess, and the ratio to 1, whatever the encoder:
0.25 of 0.25 is all. Here the blind guess is taken from both.
"""

from collections.abc import Mapping

from jaxtyping import Float
from torch import Tensor

from mae_bench.metrics import Latents, Skip, metric
from mae_bench.metrics.level_accuracy import accuracy, level_accuracy, symbols_of
from mae_bench.metrics.linear_r2 import linear_r2

LEAST = 0.05  # of R² or accuracy: a share of less is all sampling error


def blind(train: Float[Tensor, "n k"], test: Float[Tensor, "m k"]) -> float:
    """Accuracy of the commonest symbol of each node; 0, the R² of a mean, of numbers.

    >>> import torch
    >>> blind(torch.eye(2)[[0, 0, 1]], torch.eye(2)[[0, 1, 1, 1]])
    0.25
    """
    symbols = symbols_of(train)
    if symbols is None:
        return 0.0
    return float(accuracy(train.mean(0).expand(len(test), -1), test, symbols))


@metric(
    reads="ceiling",
    direction="max",
    unit="share of the knowable",
    best=1.0,
    chance=0.0,
    version=1,
    source="mae_bench: linear_r2 and level_accuracy over oracles/ceilings",
)
def knowable_share(
    train: Latents, val: Latents, test: Latents, ceiling: Mapping[str, float]
) -> dict[str, float]:
    """(found - blind) / (ceiling - blind), in R² of numbers or accuracy of symbols.

    Both are of what the encoder was shown: whole images, or the patches that its masks
    left visible. Levels of one-hot symbols are probed by ``level_accuracy``, others by
    ``linear_r2``; a blind guess of these has an R² of 0.

    Args:
        train: Features ``[n, d]``, level -> latents ``[n, k]``; fits the probe.
        val: Chooses its penalty.
        test: Is reported.
        ceiling: Level -> what an ideal reader of the same pixels would reach.

    Returns:
        Level -> share: 0 for features that say nothing, 1 for those from which all
        that can be known is linearly readable; beyond either only by sampling. A level
        of which less than 0.05 can be known is left out.

    Raises:
        ValueError: NaN features, or fewer than 10 images in a split.

    >>> import torch
    >>> from mae_bench.metrics import Split
    >>> z = torch.eye(2)[torch.arange(20) % 2]
    >>> split = Split(3 - z, {"level_0": z})
    >>> knowable_share(split, split, split, {"level_0": 0.9})  # in earnest, three
    {'level_0': 1.25}
    """
    try:
        found = level_accuracy(train, val, test)
    except Skip:
        found = linear_r2(train, val, test)
    floors = {level: blind(train.target[level], test.target[level]) for level in found}
    room = {level: ceiling.get(level, 0.0) - floors[level] for level in found}
    return {
        level: (value - floors[level]) / room[level]
        for level, value in found.items()
        if room[level] > LEAST
    }
