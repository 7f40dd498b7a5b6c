"""Which latents a method's own masks leave to be identified: how many, how high."""

import torch
from jaxtyping import Float
from torch import Tensor

from mae_bench.datasets import Batch, Dataset
from mae_bench.datasets.gaussian_tree import GaussianTree
from mae_bench.datasets.random_hierarchy import RandomHierarchy
from mae_bench.methods import Method
from mae_bench.methods.mae import MAE
from mae_bench.metrics import Skip, metric
from mae_bench.oracles.located_latents import level_table, quadtree_c

MASKS = 20_000


def leaves(
    mask: Float[Tensor, "n l"], depth: int, image_size: int
) -> Float[Tensor, "n side side"]:
    """Masks of patches, row by row, as masks of the leaves of a quadtree.

    Raises:
        Skip: A mask cuts a leaf in pieces.
    """
    grid, side = round(mask.shape[1] ** 0.5), 2**depth
    pixels = mask.view(-1, grid, grid)
    for axis in (1, 2):
        pixels = pixels.repeat_interleave(image_size // grid, axis)
    p = image_size // side
    squares = pixels.unfold(1, p, p).unfold(2, p, p).flatten(3)
    if not bool((squares == squares[..., :1]).all()):
        raise Skip("the masks cut leaves in pieces")
    return squares[..., 0]


@metric(
    reads="encoder",
    direction="none",
    unit={"size*": "nodes", "*": "levels"},
    lower=0.0,
    version=1,
    source="Kong et al. 2023, arXiv 2306.04898, Theorem 1, on a quadtree",
)
def located_level(
    method: Method, dataset: Dataset, batch: Batch, generator: torch.Generator
) -> dict[str, float]:
    """Size and mean level of c(m), over masks that the method draws.

    It looks at the masks alone, not at the encoder: what the theorem says before
    anything is trained. Levels are counted from the pixels, 1 the lowest.

    Args:
        method: A masked autoencoder.
        dataset: A quadtree of causes.
        batch: Not looked at.
        generator: Draws the masks.

    Returns:
        ``size``: E|c|; ``level``: expected sum of the levels in c over E|c|;
        ``level_of_unit``: the level that the mask's unit sets, whatever the ratio.
        For random masks also ``size_exact`` and ``level_exact``, by counting subsets.

    Raises:
        Skip: Another method or world, or masks that cut leaves.
    """
    del batch
    if not isinstance(method, MAE):
        raise Skip(f"{type(method).__name__} has no masks")
    if not isinstance(dataset, GaussianTree | RandomHierarchy):
        raise Skip(f"{type(dataset).__name__} is no quadtree of causes")
    depth = len(dataset.levels) - 1
    mask = method.masking(MASKS, generator).mask
    located = quadtree_c(leaves(mask, depth, dataset.image_size).long())
    sizes = {level: c.sum(1).double().mean().item() for level, c in located.items()}
    total = sum(sizes.values())
    if total == 0:
        raise Skip("the masks leave nothing shared")
    unit = method.mask_unit * 2**depth // dataset.image_size  # in leaves
    found = {
        "size": total,
        "level": sum(level * size for level, size in sizes.items()) / total,
        "level_of_unit": float(max(1, unit).bit_length()),
    }
    if method.mask_family == "random":
        share = float(mask[0].mean())
        (row,) = level_table(2**depth, (max(1, unit),), (share,))
        found |= {"size_exact": row.expected_size, "level_exact": row.mean_level}
    return found
