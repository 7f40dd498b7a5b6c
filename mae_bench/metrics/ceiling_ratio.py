"""What a linear probe finds of each latent level, as a share of what there is."""

from collections.abc import Mapping

from mae_bench.metrics import Headline, Latents, Skip, metric
from mae_bench.metrics.level_accuracy import level_accuracy
from mae_bench.metrics.linear_r2 import linear_r2


@metric(
    reads="ceiling",
    direction="max",
    unit="share of the ceiling",
    best=1.0,
    version=2,
    source="mae_bench: linear_r2 and level_accuracy over oracles/ceilings",
    headlines=(Headline("level_0"),),
)
def ceiling_ratio(
    train: Latents, val: Latents, test: Latents, ceiling: Mapping[str, float]
) -> dict[str, float]:
    """A probe's R² over the recoverable R², or its accuracy over the Bayes accuracy.

    Both are of what the encoder was shown: whole images, or the patches that its masks
    left visible. Levels of one-hot symbols are probed by ``level_accuracy``, others by
    ``linear_r2``.

    Args:
        train: Features ``[n, d]``, level -> latents ``[n, k]``; fits the probe.
        val: Chooses its penalty.
        test: Is reported.
        ceiling: Level -> what an ideal reader of the same pixels would reach.

    Returns:
        Level -> ratio: 1 for an encoder that keeps, linearly readable, all that can be
        known; above 1 only by sampling. A level of which nothing can be known, with a
        ceiling of 0, is left out.

    Raises:
        ValueError: NaN features, or fewer than 10 images in a split.

    >>> import torch
    >>> from mae_bench.metrics import Split
    >>> z = torch.eye(2)[torch.arange(20) % 2]
    >>> split = Split(3 - z, {"level_0": z})
    >>> ceiling_ratio(split, split, split, {"level_0": 0.8})  # in earnest, three splits
    {'level_0': 1.25}
    """
    try:
        found = level_accuracy(train, val, test)
    except Skip:
        found = linear_r2(train, val, test)
    return {k: v / ceiling[k] for k, v in found.items() if ceiling.get(k, 0) > 0}
