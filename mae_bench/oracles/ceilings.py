"""What the visible pixels of a world with exact answers tell, whatever looks at them.

Such a world is jointly Gaussian, and answers by conditioning; or a random hierarchy,
and answers by belief propagation; or, of its latents, an invertible tree, and answers
by redrawing what is not seen. Of any other world nothing is known, and the answers are
empty. Masks are of pixels, in the order of ``images.flatten(1)``; 0 = keep, 1 = remove.

In a Gaussian world n masks that keep v of d pixels take O(n v² d) time, and 500 masks
at a time take memory for about 1000 v (v + d) numbers; of k latents alone, with k in
place of d. A random hierarchy takes all n images at once: see ``belief_propagation``.
"""

import torch
from jaxtyping import Float, Float64
from torch import Tensor

from mae_bench.datasets import Batch, Dataset, LinearGaussian
from mae_bench.datasets.invertible_tree import InvertibleTree
from mae_bench.datasets.random_hierarchy import RandomHierarchy
from mae_bench.models.vit import unpatchify
from mae_bench.oracles.belief_propagation import (
    bayes_accuracy,
    posteriors,
    reconstruction,
)
from mae_bench.oracles.gaussian_conditioning import bayes_error, recoverable_r2
from mae_bench.oracles.two_sample_floor import two_sample_r2

CHUNK = 500  # masks; the Cholesky factors of all of them are held at once


def pixel_mask(
    mask: Float[Tensor, "n l"], patch_size: int, channels: int
) -> Float[Tensor, "n d"]:
    """Masks of patches, as ``patchify`` numbers them, as masks of pixels.

    >>> pixel_mask(torch.tensor([[0.0, 1.0, 1.0, 0.0]]), 1, 2).tolist()
    [[0.0, 1.0, 1.0, 0.0, 0.0, 1.0, 1.0, 0.0]]
    """
    values = mask[..., None].expand(-1, -1, patch_size**2 * channels)
    return unpatchify(values, patch_size).flatten(1)


def recoverable(
    world: Dataset,
    batch: Batch,
    mask: Float[Tensor, "#n d"],
    generator: torch.Generator,
) -> dict[str, float]:
    """Level -> the most of it that can be known from the visible pixels, in [0, 1].

    Of a Gaussian world it is R², the mean over masks and coordinates, exact for these
    masks. Of a random hierarchy it is the accuracy of the most probable symbol of each
    node, the mean over nodes and over the images of ``batch``. Of an invertible tree it
    is R² again, 1 of what is seen and an estimate of what is not.

    Args:
        world: The images' own.
        batch: Images with their latents.
        mask: Of each image, or one for all.
        generator: Draws what an invertible tree's masks hide.

    Raises:
        ValueError: A mask that leaves nothing visible, or is not of this world.
    """
    if isinstance(world, RandomHierarchy | InvertibleTree):
        leaves = leaf_mask(world, mask)
        if leaves is None:
            return {}
        if isinstance(world, InvertibleTree):
            return two_sample_r2(world, batch, leaves, generator)
        return bayes_accuracy(posteriors(world, batch.images, leaves), batch.latents)
    if not isinstance(world, LinearGaussian):
        return {}
    cross = world.cross_covariance()
    # All levels at once: the masks' Cholesky factors are what costs.
    rows = torch.cat(list(cross.values())).to(mask.device)
    covariance = world.covariance().to(mask.device)
    pieces = torch.split(mask, CHUNK)
    r2 = torch.cat([recoverable_r2(covariance, rows, some) for some in pieces])
    by_level = torch.split(r2.mean(0), [len(z) for z in cross.values()])
    return {level: r.mean().item() for level, r in zip(cross, by_level, strict=True)}


def least_error(
    world: Dataset, images: Float[Tensor, "n c h w"], mask: Float[Tensor, "n d"]
) -> dict[str, Float64[Tensor, " n"]]:
    """Mean squared error of a masked pixel of each image, of the best guesses.

    ``bayes`` is the best of all: in a Gaussian world its expectation under each mask,
    in a random hierarchy what it comes to on these images. There, ``bayes_cut_1`` is
    the best that does not know how the root ties the image together: what it loses
    against ``bayes`` only the root can tell.

    Args:
        world: The images' own.
        images: Whole ones.
        mask: Of each image.

    Raises:
        ValueError: A mask that leaves nothing visible or nothing masked.
    """
    if isinstance(world, RandomHierarchy):
        leaves = leaf_mask(world, mask)
        if leaves is None:
            return {}
        return {
            name: reconstruction(world, images, leaves, cut=cut).error
            for name, cut in (("bayes", None), ("bayes_cut_1", 1))
        }
    if not isinstance(world, LinearGaussian):
        return {}
    covariance = world.covariance().to(mask.device)
    return {
        "bayes": torch.cat(
            [bayes_error(covariance, m) for m in torch.split(mask, CHUNK)]
        )
    }


def leaf_mask(
    world: RandomHierarchy | InvertibleTree, mask: Float[Tensor, "n d"]
) -> Float[Tensor, "n leaves"] | None:
    """Masks of pixels as masks of leaves; None if they cut a leaf in pieces.

    Raises:
        ValueError: Masks of other images than this world's.
    """
    if mask.shape[1] != world.image_size**2:
        raise ValueError(
            f"masks of {mask.shape[1]} pixels; this world's images have "
            f"{world.image_size**2}"
        )
    levels = world.rules if isinstance(world, RandomHierarchy) else world.parents
    side, p = 2 ** len(levels), world.image_size // 2 ** len(levels)
    squares = mask.view(-1, side, p, side, p).transpose(2, 3).reshape(-1, side**2, p**2)
    whole = (squares == squares[..., :1]).all()
    return squares[..., 0] if whole else None
