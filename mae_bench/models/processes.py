"""One batch over several processes: each its own rows, losses over all of them."""

from typing import Any

import torch
import torch.distributed as dist
from jaxtyping import Float
from torch import Tensor
from torch.utils._pytree import tree_map


def several() -> bool:
    """Whether this process is one of several that train together."""
    return dist.is_available() and dist.is_initialized() and dist.get_world_size() > 1


def shard(example: Any) -> Any:
    """The rows of a nest of tensors that are this process's; all, if it is alone.

    Every process draws the whole batch from the same stream and keeps its own part,
    so that many processes see the images, masks and views of one.

    Raises:
        ValueError: The processes do not divide the rows.
    """
    if not several():
        return example
    rank, size = dist.get_rank(), dist.get_world_size()

    def rows(whole: Tensor) -> Tensor:
        if len(whole) % size:
            raise ValueError(
                f"{size} processes cannot share {len(whole)} images; choose a "
                "batch_size that they divide"
            )
        part: Tensor = whole.chunk(size)[rank]
        return part

    return tree_map(rows, example)


class _Gather(torch.autograd.Function):
    """All processes' rows; the gradient of each is the sum of what all ask of it."""

    @staticmethod
    def forward(ctx: Any, rows: Tensor) -> Tensor:
        ctx.count = len(rows)
        parts = [torch.empty_like(rows) for _ in range(dist.get_world_size())]
        dist.all_gather(parts, rows.contiguous())
        return torch.cat(parts)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        summed = gradient.contiguous()
        dist.all_reduce(summed)
        first: int = ctx.count * dist.get_rank()
        return summed[first : first + ctx.count]


def gather(rows: Float[Tensor, "n ..."]) -> Float[Tensor, "m ..."]:
    """The rows of all processes, in the order of the joined batch, with gradients.

    Each process then has the loss of the joined batch. What flows back to its rows is
    the sum over the processes, which the mean over processes that follows undoes: the
    step is that of one process.
    """
    if not several():
        return rows
    gathered: Tensor = _Gather.apply(rows)  # type: ignore[no-untyped-call]  # torch
    return gathered
