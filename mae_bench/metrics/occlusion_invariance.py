"""Occlusion invariance: is an image told from its visible part as from the whole?"""

import torch

from mae_bench.datasets import Batch, Dataset
from mae_bench.methods import Method, ViTMethod
from mae_bench.metrics import Skip, metric
from mae_bench.metrics.alignment import alignment
from mae_bench.metrics.cka import cka


@metric(
    reads="encoder",
    direction="none",
    unit={"cka": "CKA", "*": "cosine"},
    lower=-2.0,
    upper=2.0,
    version=1,
    source="Kong & Zhang 2023, arXiv 2208.04164",
)
def occlusion_invariance(
    method: Method, dataset: Dataset, batch: Batch, generator: torch.Generator
) -> dict[str, float]:
    """How alike f(x) and f(visible part of x) are, f being the mean token.

    Args:
        method: Anything with the ViT as encoder.
        dataset: Not looked at.
        batch: Images; all are used.
        generator: Draws the masks.

    Returns:
        ``cka``: debiased, 1 if the images are arranged alike, 0 if unrelated.
        ``cosine``: mean of cos(f(x), f(visible)) in [-1, 1]; features that say the same
        of every image have 1 too. ``cosine_gap``: the same less the mean over different
        images; those then have 0.

    Raises:
        Skip: No ViT, or nothing is masked.
    """
    del dataset
    if not isinstance(method, ViTMethod):
        raise Skip(f"{type(method).__name__} does not look at patches")
    masking = method.masking(len(batch), generator)
    if not masking.ids_masked.shape[1]:
        raise Skip("nothing is masked")
    whole = method.features(batch)["mean"]
    part = method.features(batch, masking.ids_keep)["mean"]
    alike = alignment(whole, part)
    return {
        "cka": float(cka(whole, part)[""]),
        # |a - b|² = 2 - 2 cos(a, b) of unit vectors.
        "cosine": 1 - float(alike["distance"]) / 2,
        "cosine_gap": float(alike["cosine_gap"]),
    }
