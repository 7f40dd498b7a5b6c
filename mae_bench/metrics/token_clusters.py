"""Do the patch tokens of an image cluster by what the patches have in common?"""

import numpy as np
import torch
from jaxtyping import Float, Int64
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_rand_score
from torch import Tensor

from mae_bench.datasets import Batch, Dataset
from mae_bench.datasets.planted_areas import PlantedAreas
from mae_bench.methods import Method, ViTMethod
from mae_bench.metrics import Skip, metric
from mae_bench.models.vit import patchify

IMAGES = 200
STARTS = 3  # of k-means, of which the best is kept


@metric(
    reads="encoder",
    direction="max",
    upper=1.0,
    best=1.0,
    chance=0.0,
    version=1,
    unit="adjusted Rand index",
    source="Hubert & Arabie 1985: the index; Shin et al. 2025, arXiv 2507.19773: MAE "
    "clusters patches",
)
def token_clusters(
    method: Method, dataset: Dataset, batch: Batch, generator: torch.Generator
) -> dict[str, float]:
    """Agreement of k-means of an image's patches with the areas that were planted.

    Of each image alone, with as many means as it has areas; the mean over images.

    Args:
        method: A ViT; whole images are shown to its encoder.
        dataset: The world whose areas are known.
        batch: Images; the first 200 are looked at.
        generator: Seeds k-means.

    Returns:
        ``tokens``, of the encoder's patch tokens; ``pixels``, of the patches as they
        are. 1 if areas are found, 0 if no better than at random.

    Raises:
        Skip: Another world, other patches, or no patches.
    """
    if not isinstance(dataset, PlantedAreas):
        raise Skip(f"{type(dataset).__name__} has no planted areas")
    if not isinstance(method, ViTMethod):
        raise Skip(f"{type(method).__name__} has no patch tokens")
    side = method.encoder.patch_size
    if side != dataset.patch_size:
        raise Skip(
            f"patches of {side} pixels are not the world's of {dataset.patch_size}"
        )
    batch = batch.rows(slice(IMAGES))
    area = dataset.areas[batch.latents["level_0"].argmax(1)]
    seed = int(
        torch.randint(2**31 - 1, (), generator=generator, device=generator.device)
    )
    tokens = method.encoder(batch.images)[:, -area.shape[1] :]
    return {
        "tokens": agreement(tokens, area, seed),
        "pixels": agreement(patchify(batch.images, side), area, seed),
    }


def agreement(
    patches: Float[Tensor, "n l d"], area: Int64[Tensor, "n l"], seed: int
) -> float:
    """Mean adjusted Rand index of k-means of each image's patches with its areas.

    Args:
        patches: What is clustered.
        area: Of each patch.
        seed: Of k-means.
    """
    found = [
        adjusted_rand_score(
            known,
            KMeans(len(np.unique(known)), n_init=STARTS, random_state=seed).fit_predict(
                x
            ),
        )
        for x, known in zip(
            patches.cpu().double().numpy(), area.cpu().numpy(), strict=True
        )
    ]
    return float(np.mean(found))
