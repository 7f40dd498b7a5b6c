"""Rank tail: are images of high rank the ones that are hard to reconstruct?"""

import torch
from jaxtyping import Float
from torch import Tensor

from mae_bench.datasets import Batch, Dataset
from mae_bench.methods import Method
from mae_bench.methods.mae import MAE
from mae_bench.metrics import Skip, metric
from mae_bench.models.vit import patchify
from mae_bench.records.stats import kendall_tau

IMAGES = 500
MASKS = 4


def tail_energy(
    patches: Float[Tensor, "n l p"], rank: int
) -> tuple[Float[Tensor, " n"], Float[Tensor, " n"]]:
    """Σ_{i>k} σ_i² of each image's patch matrix, and its share of Σ_i σ_i².

    Args:
        patches: Not centred.
        rank: k, from 0.

    >>> energy, share = tail_energy(torch.diag(torch.tensor([3.0, 1.0]))[None], 1)
    >>> round(energy.item(), 4), round(share.item(), 4)
    (1.0, 0.1)
    """
    squares = torch.linalg.svdvals(patches.double()).square()
    tail = squares[:, rank:].sum(1)
    return tail, tail / squares.sum(1)


@metric(
    reads="encoder",
    direction="none",
    unit="Kendall's tau",
    lower=-1.0,
    upper=1.0,
    chance=0.0,
    version=1,
    source="this project's reading of Cao et al. 2022, arXiv 2202.03670",
)
def rank_tail(
    method: Method, dataset: Dataset, batch: Batch, generator: torch.Generator
) -> dict[str, float]:
    """Rank correlation, over images, of the reconstruction error with the rank's tail.

    The patch matrix of an image has a row for each of its l patches, of p values; its
    tail is what is left beyond k = min(l, p) / 2 singular directions. An image's error
    is the mean over four masks. Both grow with the image's contrast, whatever the
    rank; the shares, of the energy of what was asked for, do not. But an error of one
    size in all images is the larger share of a faint one, whose tail is mostly noise:
    read ``share`` beside that of a method which sees everything.

    In a training of your own, torchmetrics' ``KendallRankCorrCoef`` accumulates it from
    images' errors and their ``tail_energy``.

    Args:
        method: One that reconstructs.
        dataset: Not looked at.
        batch: Images; the first 500 are used.
        generator: Draws the masks, and noise where the method adds some.

    Returns:
        Kendall's tau, 1 if the error rises with the tail in every pair of images, 0 if
        they are unrelated: ``share`` of relative error and relative tail, ``energy`` of
        the two as they are.

    Raises:
        Skip: No reconstruction, or patches of one value.
    """
    del dataset
    if not isinstance(method, MAE):
        raise Skip(f"{type(method).__name__} does not reconstruct")
    images = batch.images[:IMAGES]
    patches = patchify(images, method.encoder.patch_size)
    rank = min(patches.shape[1:]) // 2
    if not rank:
        raise Skip("a patch matrix of one row or column has no tail")
    error = asked = torch.zeros(len(images), device=images.device)
    for _ in range(MASKS):
        prediction, target, _ = method.reconstruct(Batch(images), generator)
        error = error + (prediction - target).square().flatten(1).sum(1)
        asked = asked + target.square().flatten(1).sum(1)
    tail, share = (t.cpu().numpy() for t in tail_energy(patches, rank))
    return {
        "share": kendall_tau((error / asked).cpu().numpy(), share),
        "energy": kendall_tau(error.cpu().numpy(), tail),
    }
