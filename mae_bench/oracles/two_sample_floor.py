"""What a mask of an invertible tree leaves to be known, by redrawing the rest.

Mechanisms are invertible, so the visible part determines the root and ε of all its
ancestors: x_v is (c, s_v) in other words, with c the root and ε of the nodes that have
both masked and visible leaves below them. The masked part is x_m = f(c, s_m), with s_m
independent of (c, s_v). So the best guess is E[x_m | x_v] = E[x_m | c], and its error
is that of one draw against another, x_m' with the same c and all else drawn anew:
E |x_m - E[x_m | c]|² = E |x_m - x_m'|² / 2. Nothing is estimated but this mean.

Latents are known likewise. A node with a visible leaf below it is a function of that
leaf; the ε of all others are independent of what is visible. So a draw with the known
ones kept is one of p(z | x_v), and the error of E[z | x_v] is E |z - z'|² / 2.

References:
    Kong et al. 2023, arXiv 2306.04898, Theorem 1.
"""

import torch
from jaxtyping import Bool, Float, Float64
from torch import Tensor

from mae_bench.datasets import Batch
from mae_bench.datasets.invertible_tree import InvertibleTree


def two_sample_floor(
    world: InvertibleTree,
    batch: Batch,
    mask: Float[Tensor, "#n leaves"],
    generator: torch.Generator,
    *,
    redraws: int = 4,
) -> Float64[Tensor, " n"]:
    """Mean over masked pixels of (x - x')² / 2, of each image; its mean is the floor.

    An image's value scatters about its own best error, together with the loss of a
    network on the same image: compare both on the same images. Time is that of drawing
    ``redraws`` times n images of the world, and memory that of drawing n once.

    Args:
        world: The images' own.
        batch: Images with their latents.
        mask: Of each image's leaves in raster order, or one for all.
        generator: Draws x', on its device, which must be the images'.
        redraws: Draws of x' for each image.

    Raises:
        ValueError: A mask that is not of 0 and 1, masks nothing or is no mask of this
            world's leaves; or no redraws.
    """
    if redraws < 1:
        raise ValueError(f"redraws is {redraws}; choose at least 1")
    keep = shared_ancestors(world, mask)
    side, p = 2 ** len(world.parents), world.leaf_size
    pixels = mask.view(-1, 1, side, side).repeat_interleave(p, 2)
    pixels = pixels.repeat_interleave(p, 3).double()
    total = torch.zeros(len(batch), dtype=torch.float64, device=mask.device)
    for _ in range(redraws):
        other = world.redraw_except(batch.latents, keep, generator)
        square = (batch.images - other.images).double().square()
        total += (square * pixels).flatten(1).sum(1) / 2
    return total / (redraws * pixels.flatten(1).sum(1))


def two_sample_r2(
    world: InvertibleTree,
    batch: Batch,
    mask: Float[Tensor, "#n leaves"],
    generator: torch.Generator,
    *,
    redraws: int = 4,
) -> dict[str, float]:
    """Level -> R² of the best guess of its latents from the visible leaves.

    The mean over coordinates of 1 - Σ (z - z')² / 2 / Σ (z - mean)², over images: 1
    of nodes that are visible in every image, exactly; else an estimate.

    Args:
        world: The images' own.
        batch: Images with their latents.
        mask: Of each image's leaves in raster order, or one for all.
        generator: Draws z', on its device, which must be the images'.
        redraws: Draws of z' for each image.

    Raises:
        ValueError: A mask that is not of 0 and 1 or is no mask of this world's leaves;
            or no redraws.
    """
    if redraws < 1:
        raise ValueError(f"redraws is {redraws}; choose at least 1")
    _check_mask(world, mask)
    known = _reaches(world, mask == 0)
    error = {level: torch.zeros(z.shape[1]).to(z) for level, z in batch.latents.items()}
    for _ in range(redraws):
        other = world.redraw_except(batch.latents, known, generator).latents
        for level, z in batch.latents.items():
            error[level] += (z - other[level]).square().mean(0) / (2 * redraws)
    return {
        level: (1 - error[level] / z.var(0, correction=0)).mean().item()
        for level, z in batch.latents.items()
    }


def shared_ancestors(
    world: InvertibleTree, mask: Float[Tensor, "n leaves"]
) -> list[Bool[Tensor, "n _"]]:
    """Of each level, root first: whether its nodes have masked and visible leaves.

    They are ``located_latents.locate``'s shared ancestors, for many masks; leaves are
    never shared.

    Args:
        world: Gives the graph.
        mask: Of the leaves in raster order; 0 = keep, 1 = remove.

    Raises:
        ValueError: A mask that is not of 0 and 1, masks nothing or is no mask of this
            world's leaves.
    """
    _check_mask(world, mask)
    if not mask.any(1).all():
        raise ValueError("a mask leaves nothing masked; remove at least one leaf")
    both = zip(_reaches(world, mask == 1), _reaches(world, mask == 0), strict=True)
    return [masked & visible for masked, visible in both]


def _check_mask(world: InvertibleTree, mask: Float[Tensor, "n leaves"]) -> None:
    leaves = len(world.parents[-1])
    if mask.shape[1] != leaves:
        raise ValueError(f"mask has {mask.shape[1]} leaves; give this world's {leaves}")
    if not ((mask == 0) | (mask == 1)).all():
        raise ValueError("mask has entries other than 0 (keep) and 1 (remove)")


def _reaches(
    world: InvertibleTree, leaves: Bool[Tensor, "n leaves"]
) -> list[Bool[Tensor, "n _"]]:
    """Of each level, root first: whether its nodes have such a leaf below them."""
    found = [leaves]
    for above in reversed(world.parents):
        found.insert(0, _reach(found[0], above))
    return found


def _reach(flags: Tensor, above: Tensor) -> Bool[Tensor, "n nodes"]:
    """Of the nodes above, whether any child is set."""
    children = flags.float().repeat_interleave(above.shape[1], 1)
    count = torch.zeros(len(flags), int(above.max()) + 1, device=flags.device)
    return count.index_add_(1, above.to(flags.device).flatten(), children) > 0
