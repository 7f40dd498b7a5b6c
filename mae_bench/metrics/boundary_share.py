"""Weight of a linear encoder on the rims of its patches, over an even share of it."""

import torch
from jaxtyping import Bool, Float64
from torch import Tensor

from mae_bench.datasets import Batch, Dataset
from mae_bench.methods import Method
from mae_bench.methods.linear_mae import LinearMAE
from mae_bench.metrics import Skip, metric


def on_border(
    image_size: int, patch_size: int, channels: int = 1
) -> Bool[Tensor, " d"]:
    """Which pixels are on the rim of their patch, in the order of ``flatten(1)``.

    >>> on_border(6, 3).reshape(6, 6).int()[:3].tolist()
    [[1, 1, 1, 1, 1, 1], [1, 0, 1, 1, 0, 1], [1, 1, 1, 1, 1, 1]]
    """
    place = torch.arange(image_size) % patch_size
    rim = (place == 0) | (place == patch_size - 1)
    return (rim[:, None] | rim).flatten().repeat(channels)


def pixel_weights(
    A: Float64[Tensor, "d k"], B: Float64[Tensor, "k d"]
) -> Float64[Tensor, " d"]:
    """‖(A B)_i‖, how much of the output hangs on pixel i.

    It is the norm of the encoder's row i if the decoder's rows are made orthonormal, so
    that it does not depend on the basis in which the code is written.

    >>> A, B = torch.eye(2).double(), torch.tensor([[3.0, 4.0], [0.0, 0.0]]).double()
    >>> pixel_weights(A, B).tolist()
    [5.0, 0.0]
    """
    norm: Tensor = (A @ B).norm(dim=1)
    return norm


@metric(
    reads="encoder",
    direction="none",
    unit="ratio to even weights",
    lower=0.0,
    version=1,
    source="Bisulco et al. 2025, arXiv 2508.15404: the Ising experiment",
)
def boundary_share(
    method: Method, dataset: Dataset, batch: Batch, generator: torch.Generator
) -> dict[str, float]:
    """Whether a linear encoder favours the pixels on the rims of its patches.

    Args:
        method: A ``LinearMAE``.
        dataset: Its world.
        batch: Not looked at.
        generator: Not used.

    Returns:
        Σ_rim ‖(A B)_i‖ / Σ_i ‖(A B)_i‖, over the share of pixels that are on a rim: 1
        if no pixel is favoured; the inverse of that share if the rims have it all.

    Raises:
        Skip: Another method, or patches without an interior.
    """
    del batch, generator
    if not isinstance(method, LinearMAE):
        raise Skip(f"{type(method).__name__} is no linear MAE")
    if method.patch_size < 3:
        raise Skip(f"patches of {method.patch_size} pixels a side have no interior")
    A, B = (w.detach().double().cpu() for w in (method.A, method.B))
    weights = pixel_weights(A, B)
    rim = on_border(dataset.image_size, method.patch_size, dataset.channels)
    share = weights[rim].sum() / weights.sum()
    return {"": (share / rim.double().mean()).item()}
