"""What is compared is compared in 32 bits, whatever the network was computed in."""

from collections.abc import Callable

import torch
from torch import Tensor


def in_full_precision(function: Callable[..., Tensor], *tensors: Tensor) -> Tensor:
    """The function of the tensors in at least 32 bits, without autocast.

    A loss compares vectors that are nearly alike, or sums squares of many: rounding to
    half precision is then no longer small beside what it is of.

    Args:
        function: Of the tensors alone.
        tensors: On one device.

    >>> half = torch.ones(2, dtype=torch.bfloat16)
    >>> in_full_precision(torch.add, half, half).dtype
    torch.float32
    """
    with torch.autocast(tensors[0].device.type, enabled=False):
        return function(
            *(t.to(torch.promote_types(t.dtype, torch.float32)) for t in tensors)
        )
