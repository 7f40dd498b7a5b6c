"""Mask connectivity: what the graph of a finite world forecasts of a mask ratio."""

import torch
from jaxtyping import Int64
from torch import Tensor

from mae_bench.datasets import Batch, Dataset
from mae_bench.datasets.random_hierarchy import RandomHierarchy
from mae_bench.methods import Method
from mae_bench.methods.mae import MAE
from mae_bench.metrics import Skip, metric
from mae_bench.models.masking import visible_units
from mae_bench.oracles.finite_hierarchy import FiniteWorld, finite_world
from mae_bench.oracles.mask_graph import labelling_error, mask_graph, tail_sum

MASKS = 32
MOST = 512  # images: an eigenproblem of as many is solved a mask


@metric(
    reads="encoder",
    direction="none",
    unit={
        "tail": "squared eigenvalues",
        "forecast": "squared eigenvalues and probability",
        "*": "probability",
    },
    version=1,
    source="Zhang et al. 2022, arXiv 2210.08344, Theorem 4.1",
)
def mask_connectivity(
    method: Method, dataset: Dataset, batch: Batch, generator: torch.Generator
) -> dict[str, float]:
    """T_k, α and shared targets of the masks that a method draws; no weight is read.

    Theorem 4.1 bounds the error of a linear classifier by c1 T_k + c2 α, up to
    constants that it leaves open; here both are 1. T_k = Σ_{i>k} λ_i² of A_aug, with k
    the width of the features, and α is the Bayes error of the label from a view. Masks
    whose places are known share no node, so the graph is one of its own for each mask;
    T_k is the mean of theirs. (Of the whole graph it would count little but masks, for
    each has an eigenvalue 1.) Sums over images are exact; masks are sampled.

    Masks are cut from random orders of the patches, which are the same for every ratio
    and are read from their other end above 1/2: those at ρ and 1 - ρ are complements.

    Args:
        method: An MAE whose patches are the leaves, with uniform masks.
        dataset: A random hierarchy of at most 512 images, taken without noise.
        batch: Not looked at.
        generator: Draws the orders.

    Returns:
        ``tail`` = T_k >= 0, the same at ρ and 1 - ρ; ``labelling_error`` = α in
        [0, 1], grows with ρ; ``forecast`` = -(T_k + α); ``sharing``: probability that
        two images have the same masked part, falls with ρ.

    Raises:
        Skip: Another method or world, or masks that are not uniform over the leaves.
    """
    del batch
    if not isinstance(method, MAE) or method.mask_family != "random":
        raise Skip(f"{type(method).__name__} draws no uniform masks")
    if not isinstance(dataset, RandomHierarchy):
        raise Skip(f"the images of {type(dataset).__name__} cannot be listed")
    leaf = dataset.textures.shape[1]
    if (method.encoder.patch_size, method.mask_unit) != (leaf, leaf):
        raise Skip(f"patches and mask units are not leaves of {leaf} pixels")
    try:
        world = finite_world(dataset, most=MOST)
    except ValueError as why:
        raise Skip(str(why)) from why
    width = method.encoder.bottleneck or method.encoder.embed_dim
    masks = nested_masks(world.tokens.shape[1], method.mask_ratio, generator)
    return connectivity(world, masks, width)


def nested_masks(
    patches: int, mask_ratio: float, generator: torch.Generator
) -> Int64[Tensor, "masks l"]:
    """Masks (1 = remove); from generators of one state complements at ρ and 1 - ρ."""
    noise = torch.rand(MASKS, patches, generator=generator, device=generator.device)
    # Where each patch stands in a random order, or in that order reversed.
    rank = noise.cpu().argsort(1).argsort(1)
    if mask_ratio > 0.5:
        rank = patches - 1 - rank
    return (rank >= visible_units(patches, mask_ratio)).long()


def connectivity(
    world: FiniteWorld, masks: Int64[Tensor, "masks l"], width: int
) -> dict[str, float]:
    """Means over masks; see ``mask_connectivity``."""
    rows = []
    for mask in masks:
        graph = mask_graph(world.tokens, world.probability, mask[None])
        tail = tail_sum(graph.adjacency, min(width, len(graph.adjacency)))
        alpha = labelling_error(graph, world.labels)
        sharing = graph.adjacency.sum(0).square().sum().item()
        rows.append((tail, alpha, -(tail + alpha), sharing))
    means = torch.tensor(rows, dtype=torch.float64).mean(0).tolist()
    names = ("tail", "labelling_error", "forecast", "sharing")
    return dict(zip(names, means, strict=True))
