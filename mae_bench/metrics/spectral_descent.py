"""Spectral descent: does a free encoder reach the top eigenvectors of A_aug?"""

import torch
from jaxtyping import Float64
from torch import Tensor

from mae_bench.datasets import Batch, Dataset
from mae_bench.datasets.random_hierarchy import RandomHierarchy
from mae_bench.methods import Method
from mae_bench.methods.u_mae import UMAE
from mae_bench.metrics import Skip, metric
from mae_bench.models.masking import visible_units
from mae_bench.oracles.finite_hierarchy import finite_world
from mae_bench.oracles.mask_graph import (
    align_loss,
    all_masks,
    mask_graph,
    spectral_minimiser,
    spectrum,
    unif_loss,
)
from mae_bench.oracles.principal_angle import principal_angle

MOST_PATCHES = 4  # the masks of more are not listed
STEPS = 500
LEAST_GAP = 1e-3  # of eigenvalues; below, the top k are not well defined


@metric(
    reads="encoder",
    direction="none",
    unit={
        "angle*": "radians",
        "gap": "eigenvalue",
        "*": "loss",
    },
    version=1,
    source="HaoChen et al. 2021, arXiv 2106.04156; Zhang et al. 2022, arXiv 2210.08344",
)
def spectral_descent(
    method: Method, dataset: Dataset, batch: Batch, generator: torch.Generator
) -> dict[str, float]:
    """Descent on L_align / 2 + λ L_unif over a table of features, one row an x1.

    This is U-MAE's lower bound with an encoder that can be any function; of the method
    its settings alone are read (λ, the mask ratio, and the width of its code for k).
    The minimiser is D1^-1/2 U_k Λ_k^1/2 / (2 √λ), in any orthonormal basis. Parts know
    no places, so that the graph of all masks is one.

    Args:
        method: A U-MAE with a bottleneck k and λ > 0, whose patches are the leaves.
        dataset: A random hierarchy of depth 1, taken without its noise.
        batch: Not looked at.
        generator: Draws the table that descent (L-BFGS) starts from.

    Returns:
        ``angle``: largest principal angle between D1^1/2 Z and the top k eigenvectors
        of A_aug, in [0, π/2] radians; ``angle_start``: the same before descent;
        ``gap`` = λ_k - λ_{k+1}; ``loss_gap``: loss reached, less the least.

    Raises:
        Skip: Another method or world; λ or the bottleneck is 0; no gap after λ_k.
    """
    del batch
    if not isinstance(method, UMAE) or not method.lamb or not method.encoder.bottleneck:
        raise Skip("U-MAE alone, with lamb and a bottleneck, has such a minimiser")
    if not isinstance(dataset, RandomHierarchy) or 4**dataset.depth > MOST_PATCHES:
        raise Skip("all images and masks are listed of hierarchies of depth 1 alone")
    world, k = finite_world(dataset), method.encoder.bottleneck
    patches = world.tokens.shape[1]
    masks = all_masks(patches, patches - visible_units(patches, method.mask_ratio))
    graph = mask_graph(world.tokens, world.probability, masks, positions=False)
    return reach(graph.adjacency, k, method.lamb, generator)


def reach(
    adjacency: Float64[Tensor, "x1 x2"],
    k: int,
    lamb: float,
    generator: torch.Generator,
) -> dict[str, float]:
    """Angles and losses of a descended table; see ``spectral_descent``.

    Raises:
        Skip: There is no gap after the k-th eigenvalue.
    """
    values, vectors = spectrum(adjacency)
    if k >= len(values) or values[k - 1] - values[k] < LEAST_GAP:
        raise Skip(f"A_aug has no gap after its {k} largest eigenvalues")
    # Under inference mode no gradient is to be had of tensors made in it.
    with torch.inference_mode(False), torch.enable_grad():
        shape = (len(adjacency), k)
        noise = torch.randn(shape, generator=generator, device=generator.device)
        start = noise.cpu().double()
        found = descend(start, adjacency.clone(), lamb)
    best = spectral_minimiser(adjacency, k) / (2 * lamb**0.5)
    least = objective(best, adjacency, lamb)
    weight, top = adjacency.sum(1, keepdim=True).sqrt(), vectors[:, :k]
    return {
        "angle": principal_angle(weight * found, top)[0].item(),
        "angle_start": principal_angle(weight * start, top)[0].item(),
        "gap": (values[k - 1] - values[k]).item(),
        "loss_gap": (objective(found, adjacency, lamb) - least).item(),
    }


def objective(
    features: Float64[Tensor, "x1 k"], adjacency: Float64[Tensor, "x1 x2"], lamb: float
) -> Float64[Tensor, ""]:
    """L_align / 2 + λ L_unif."""
    return align_loss(features, adjacency) / 2 + lamb * unif_loss(features, adjacency)


def descend(
    start: Float64[Tensor, "x1 k"], adjacency: Float64[Tensor, "x1 x2"], lamb: float
) -> Float64[Tensor, "x1 k"]:
    """The table after descent from ``start``."""
    table = start.clone().requires_grad_()
    optimizer = torch.optim.LBFGS(
        [table],
        max_iter=STEPS,
        tolerance_grad=1e-10,
        tolerance_change=0.0,
        line_search_fn="strong_wolfe",
    )

    def closure() -> Tensor:
        optimizer.zero_grad()
        loss = objective(table, adjacency, lamb)
        loss.backward()  # type: ignore[no-untyped-call]
        return loss

    optimizer.step(closure)  # type: ignore[no-untyped-call]
    return table.detach()
