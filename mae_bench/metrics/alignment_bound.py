"""Alignment bound: how low a loss is possible without aligning views of one target?"""

import torch
from jaxtyping import Bool, Float, Float64, Int64
from torch import Tensor
from torch.nn.functional import normalize

from mae_bench.datasets import Batch, Dataset
from mae_bench.datasets.random_hierarchy import RandomHierarchy
from mae_bench.methods import Method
from mae_bench.methods.mae import MAE
from mae_bench.methods.u_mae import UMAE
from mae_bench.metrics import Skip, metric
from mae_bench.models.masking import Masking, visible_units
from mae_bench.oracles.finite_hierarchy import finite_world, images_of
from mae_bench.oracles.mask_graph import (
    MaskGraph,
    align_loss,
    all_masks,
    asym_loss,
    mask_graph,
)

MOST_PATCHES = 4  # the masks of more are not listed
STEPS = 200
LR = 0.2


@metric(
    reads="encoder",
    direction="none",
    unit={"alignment*": "cosine", "*": "squared distance"},
    version=1,
    source="Zhang et al. 2022, arXiv 2210.08344, Theorems 3.2 and 3.3",
)
def alignment_bound(
    method: Method, dataset: Dataset, batch: Batch, generator: torch.Generator
) -> dict[str, float]:
    """Both sides of L_MAE >= L_align / 2 - ε + 1/2, summed over a finite world.

    Outputs h(x1) = g(f(x1)) and targets x2 are flattened and of unit norm, L_MAE =
    E|h(x1) - x2|², L_align = -E h(x1)ᵀh(x1⁺) over views that share x2, and h_g =
    g o f_g reads the target itself, ε = E|h_g(x2) - x2|². Then

    1. |a + b|² >= |a|²/2 - |b|² with a = h - h_g, b = h_g - x2 gives L_MAE >=
       E|h - h_g|²/2 - ε = L_asym + 1 - ε, with L_asym = -E h(x1)ᵀ h_g(x2).
    2. L_asym = -E_x2 E[h|x2]ᵀ h_g >= -(E|E[h|x2]|² + 1)/2 = L_align/2 - 1/2.

    Together L_MAE >= L_align/2 - ε + 1/2, for *any* f_g with its own ε: that found by
    descent is an upper bound of the least ε and gives a bound that is valid, though
    not the tightest. With the unit-norm x2 for h_g no ε is needed at all: L_MAE >= 1
    + L_align, whose slack is exactly E|x2 - E[h|x2]|² (the rest of the loss, 1 +
    L_align, is the variance of h among the views of a target).

    Here f_g is free: for each x2 tokens of any value, after the encoder's final norm,
    in as many places as the encoder fills. Images are without their noise. Outputs are
    normalised here, not in training, and so the loss is not that of training.

    Known lie: an untrained decoder says nearly the same of every view, so its
    alignment is near 1; ``alignment_gap`` is then near 0.

    Args:
        method: MAE or U-MAE whose patches are the leaves, with uniform masks.
        dataset: A random hierarchy of depth 1: four leaves, so that all masks and
            images can be listed.
        batch: Not looked at.
        generator: Draws the tokens that descent starts from.

    Returns:
        ``loss`` in [0, 4]; ``alignment`` = -L_align in [0, 1]; ``unrelated``: that of
        pairs of one mask whose targets are independent; ``alignment_gap``: the former
        less the latter; ``eps``; ``gap`` = L_MAE - L_align/2 - 1/2; ``slack`` = gap +
        ε >= 0; ``sharp_slack`` = L_MAE - 1 - L_align >= 0; both also with
        ``_unrelated`` in place of the alignment, where nothing is promised;
        ``neighbours``: mean number of x1 that share an x2.

    Raises:
        Skip: Another method or world, or masks that are not uniform over the leaves.
    """
    del batch
    mae, world = _applicable(method, dataset)
    images = finite_world(world)
    patches = images.tokens.shape[1]
    masks = all_masks(patches, patches - visible_units(patches, mae.mask_ratio))
    graph = mask_graph(images.tokens, images.probability, masks)
    h, x2 = outputs(mae, world, graph.visible), targets(world, graph.masked)
    h_g = invert(mae, graph.masked, x2, generator)
    return bound(h, x2, h_g, graph)


def bound(
    h: Float64[Tensor, "x1 k"],
    x2: Float64[Tensor, "x2 k"],
    h_g: Float64[Tensor, "x2 k"],
    graph: MaskGraph,
) -> dict[str, float]:
    """Loss, alignment, ε and slacks of unit-norm outputs; see ``alignment_bound``."""
    adjacency = graph.adjacency
    loss = 2 + 2 * asym_loss(h, x2, adjacency)
    alignment = -align_loss(h, adjacency)
    d1, d2 = adjacency.sum(1), adjacency.sum(0)
    _, mask = torch.unique(graph.visible < 0, dim=0, return_inverse=True)
    share = torch.zeros(int(mask.max()) + 1, dtype=d1.dtype).index_add(0, mask, d1)
    sums = h.new_zeros(len(share), h.shape[1]).index_add(0, mask, d1[:, None] * h)
    unrelated = (sums.square().sum(1) / share).sum()
    eps = d2 @ (h_g - x2).square().sum(1)
    found = {
        "loss": loss,
        "alignment": alignment,
        "unrelated": unrelated,
        "alignment_gap": alignment - unrelated,
        "eps": eps,
        "gap": loss + alignment / 2 - 0.5,
        "slack": loss + alignment / 2 - 0.5 + eps,
        "slack_unrelated": loss + unrelated / 2 - 0.5 + eps,
        "sharp_slack": loss + alignment - 1,
        "sharp_slack_unrelated": loss + unrelated - 1,
        "neighbours": d2 @ (adjacency > 0).double().sum(0),
    }
    return {name: value.item() for name, value in found.items()}


def masking_of(hidden: Bool[Tensor, "n l"], device: torch.device) -> Masking:
    """The masking whose masked patches are ``hidden``, both sides in raster order."""
    order = hidden.long().argsort(dim=1, stable=True).to(device)
    kept = int((~hidden[0]).sum())
    return Masking(order[:, :kept], order[:, kept:])


def outputs(
    mae: MAE, world: RandomHierarchy, visible: Int64[Tensor, "x1 l"]
) -> Float64[Tensor, "x1 k"]:
    """h(x1), of unit norm."""
    masking = masking_of(visible < 0, mae.device)
    images = images_of(world, visible).to(mae.device)
    return _unit(mae.forward_decoder(mae.forward_encoder(images, masking), masking))


def targets(
    world: RandomHierarchy, masked: Int64[Tensor, "x2 l"]
) -> Float64[Tensor, "x2 k"]:
    """Pixels of each x2, of unit norm."""
    index = masking_of(masked >= 0, masked.device).ids_masked
    return _unit(world.textures.cpu()[masked.gather(1, index)])


def invert(
    mae: MAE,
    masked: Int64[Tensor, "x2 l"],
    x2: Float64[Tensor, "x2 k"],
    generator: torch.Generator,
) -> Float64[Tensor, "x2 k"]:
    """h_g(x2): what the decoder makes of the tokens that suit each target best."""
    # Under inference mode no gradient is to be had of tensors made in it.
    with torch.inference_mode(False), torch.enable_grad():
        masking = masking_of(masked.clone() >= 0, mae.device)
        n, kept = masking.ids_keep.shape
        shape = (n, kept + 1, mae.encoder.embed_dim)  # the class token goes along
        tokens = torch.randn(shape, generator=generator, device=generator.device)
        tokens.requires_grad_()
        wanted = x2.clone()
        optimizer = torch.optim.Adam([tokens], lr=LR)
        for _ in range(STEPS):
            h_g = _unit(mae.forward_decoder(mae.encoder.norm(tokens), masking))
            optimizer.zero_grad()
            (h_g - wanted).square().sum().backward()  # type: ignore[no-untyped-call]
            optimizer.step()
    return _unit(mae.forward_decoder(mae.encoder.norm(tokens), masking))


def _unit(patches: Float[Tensor, "n *p"]) -> Float64[Tensor, "n k"]:
    """Flattened, of unit norm, on the CPU."""
    return normalize(patches.flatten(1).double()).cpu()


def _applicable(method: Method, dataset: Dataset) -> tuple[MAE, RandomHierarchy]:
    if type(method) not in (MAE, UMAE):
        raise Skip(f"{type(method).__name__} does not predict what is masked")
    if not isinstance(dataset, RandomHierarchy) or 4**dataset.depth > MOST_PATCHES:
        raise Skip("all images and masks are listed of hierarchies of depth 1 alone")
    assert isinstance(method, MAE)
    leaf = dataset.textures.shape[1]
    if (method.encoder.patch_size, method.mask_unit) != (leaf, leaf):
        raise Skip(f"patches and mask units are not leaves of {leaf} pixels")
    if method.mask_family != "random" or method.norm_pix_loss:
        raise Skip("the masks are not uniform, or the targets are not the pixels")
    return method, dataset
