"""One batch over several processes: each its own rows, losses over all of them."""

from typing import Any

import torch
import torch.distributed as dist
from jaxtyping import Shaped
from torch import Tensor
from torch.distributed.nn.functional import all_gather
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


def gather(rows: Shaped[Tensor, "n ..."]) -> Shaped[Tensor, "m ..."]:
    """The rows of all processes, in the order of the joined batch, with gradients.

    Each process then has the loss of the joined batch. What flows back to its rows is
    the sum over the processes, which the mean over processes that follows undoes: the
    step is that of one process.
    """
    if not several():
        return rows
    parts = all_gather(rows)  # type: ignore[no-untyped-call]  # torch has no types here
    return torch.cat(parts)
