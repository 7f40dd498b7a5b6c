"""Layer similarity: how much do the encoder's layers change what they are given?"""

from itertools import pairwise

import torch
from jaxtyping import Float
from torch import Tensor

from mae_bench.datasets import Batch, Dataset
from mae_bench.methods import Method, ViTMethod
from mae_bench.metrics import Skip, metric
from mae_bench.metrics.cka import cka
from mae_bench.models.recording import record

IMAGES = 500


def compare(layers: list[Float[Tensor, "n t d"]]) -> dict[str, float]:
    """The variants of ``layer_similarity``, from the tokens of two layers or more."""
    flat = [z.flatten(1) for z in layers]
    adjacent = [cka(*pair)[""] for pair in pairwise(flat)]
    increments = [
        ((b - a).norm(dim=-1) / a.norm(dim=-1)).mean() for a, b in pairwise(layers)
    ]
    return {
        "first_last": float(cka(flat[0], flat[-1])[""]),
        "adjacent": float(torch.stack(adjacent).mean()),
        "increment": float(torch.stack(increments).mean()),
    } | {f"{i}/increment": float(value) for i, value in enumerate(increments)}


@metric(
    reads="encoder",
    direction="none",
    unit={"*increment": "relative length", "*": "CKA"},
    version=1,
    source="Kornblith et al. 2019, arXiv 1905.00414, debiased as in 2010.15327",
)
def layer_similarity(
    method: Method, dataset: Dataset, batch: Batch, generator: torch.Generator
) -> dict[str, float]:
    """CKA between layers, and how far each block moves its tokens.

    Layer 0 is the patch embedding with positions, layer l what leaves block l, before
    the final norm. Images are the samples; the features of one are all its patch
    tokens side by side, so that what depends on the place alone is centred away.

    Args:
        method: Anything with the ViT as encoder.
        dataset: Not looked at.
        batch: Unmasked images; the first 500 are used.
        generator: Not used.

    Returns:
        ``first_last``: CKA of layer 0 with the last. ``adjacent``: mean CKA of layers l
        and l + 1. ``increment``: mean of |z_{l+1} - z_l| / |z_l| over tokens and
        blocks; ``<l>/increment``: of one block.

    Raises:
        Skip: No ViT, or one without blocks.
    """
    del dataset, generator
    if not isinstance(method, ViTMethod):
        raise Skip(f"{type(method).__name__} has no layers")
    if not len(method.encoder.blocks):
        raise Skip("an encoder without blocks has one layer")
    with record(method.encoder.blocks) as recording:
        method.encoder(batch.images[:IMAGES])
    free = int(method.encoder.cls_token is not None)
    return compare([tokens[:, free:] for tokens in recording.tokens])
