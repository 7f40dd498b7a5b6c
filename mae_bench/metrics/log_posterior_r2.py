"""Is the root's posterior, or its logarithm, what features are linear in?"""

import torch
from jaxtyping import Float
from torch import Tensor

from mae_bench.datasets import Batch, Dataset
from mae_bench.datasets.random_hierarchy import RandomHierarchy
from mae_bench.methods import Method
from mae_bench.methods.token_mae import TokenMAE
from mae_bench.metrics import Skip, Split, metric
from mae_bench.metrics.linear_r2 import linear_r2
from mae_bench.models.masking import Masking
from mae_bench.oracles.belief_propagation import posteriors
from mae_bench.oracles.filtered_tokens import token_law

MASKS = 4  # each with features and probes of its own


@metric(
    reads="encoder",
    direction="max",
    upper=1.0,
    best=1.0,
    chance=0.0,
    version=1,
    unit="R2",
    source="Liu et al. 2026, arXiv 2503.08980: f(x) ~ A log p(c | x) + b",
)
def log_posterior_r2(
    method: Method, dataset: Dataset, batch: Batch, generator: torch.Generator
) -> dict[str, float]:
    """Linear R² from features to the root's log posterior, and to its posterior.

    A mask is drawn and shown to all images; a probe is fitted on as many fresh images
    as there are in the batch, chooses its penalty on half as many and is reported on
    the batch. The mean is taken over four masks.

    Args:
        method: A ``TokenMAE``.
        dataset: The ``RandomHierarchy`` that it learned from.
        batch: Images to report on.
        generator: Draws the masks, and the images to fit on.

    Returns:
        ``log/logits``: R² to log P(root | visible) from what the softmax is taken of
        at all masked patches, in which alone the theory's features act; ``log/mean``
        from the mean token of the encoder's view of the visible patches; ``log/exact``
        from the logarithm of the exact probabilities of the masked tokens.
        ``posterior/logits`` and so on of P(root | visible) itself. ``gain/logits`` and
        so on, the first less the second.

    Raises:
        Skip: Another method or world.
    """
    if not isinstance(method, TokenMAE):
        raise Skip(f"{type(method).__name__} has no softmax over tokens")
    if not isinstance(dataset, RandomHierarchy):
        raise Skip(f"the root's posterior of {type(dataset).__name__} is not known")
    n = len(batch)
    splits = [dataset.draw(size, generator) for size in (n, n // 2)] + [batch]
    found: dict[str, list[float]] = {}
    for _ in range(MASKS):
        masking = method.masking(1, generator)
        seen = [_seen(method, dataset, split, masking) for split in splits]
        for name in seen[0][0]:
            probed = linear_r2(*(Split(h[name], known) for h, known in seen))
            for target, value in probed.items():
                found.setdefault(f"{target}/{name}", []).append(value)
    means = {name: sum(values) / MASKS for name, values in found.items()}
    names = ("logits", "mean", "exact")
    gains = {f"gain/{n}": means[f"log/{n}"] - means[f"posterior/{n}"] for n in names}
    return means | gains


def _seen(
    method: TokenMAE, world: RandomHierarchy, batch: Batch, one: Masking
) -> tuple[dict[str, Float[Tensor, "n _"]], dict[str, Float[Tensor, "n v"]]]:
    """What probes read and what they are asked, of images under one mask."""
    n, mask = len(batch), one.mask
    masking = Masking(*(ids.expand(n, -1) for ids in one))
    law = token_law(world, batch.images, mask)[:, one.ids_masked[0]]
    read = {
        "logits": method.logits(batch.images, masking).flatten(1),
        "mean": method.features(batch, masking.ids_keep)["mean"],
        "exact": law.log().flatten(1),
    }
    root = posteriors(world, batch.images, mask)["level_0"][:, 0]
    # Of probabilities below the least double the logarithm is that of it.
    least = torch.finfo(root.dtype).tiny
    return read, {"log": root.clamp_min(least).log(), "posterior": root}
