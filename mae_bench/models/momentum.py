"""A momentum copy: frozen weights that follow trained ones from step to step."""

import copy
import math
from collections.abc import Mapping
from typing import TypeVar

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import get_ema_multi_avg_fn

Part = TypeVar("Part", bound=nn.Module)


def frozen_copy(part: Part) -> Part:
    """A copy with weights of its own, equal now, that no optimiser will move."""
    return copy.deepcopy(part).requires_grad_(False)


def cosine_momentum(step: int, steps: int, base: float) -> float:
    """From the base up to 1: tau = 1 - (1 - tau_base) (cos(pi k / K) + 1) / 2.

    Args:
        step: k, from 0.
        steps: K, at least 1; from then on the copy stands still.
        base: tau_base, in [0, 1].

    References:
        Grill et al. 2020, arXiv 2006.07733, Sec. 3.2.

    >>> [round(cosine_momentum(k, 100, 0.5), 2) for k in (0, 50, 100, 150)]
    [0.5, 0.75, 1.0, 1.0]
    """
    return 1 - (1 - base) * (math.cos(math.pi * min(step, steps) / steps) + 1) / 2


def check_momentum(base: float) -> float:
    """The momentum, if it is one.

    Raises:
        ValueError: It is outside [0, 1].
    """
    if not 0 <= base <= 1:
        raise ValueError(f"momentum {base} is no share of the old weights; use [0, 1]")
    return base


def follow(
    weights: Mapping[str, Tensor], copies: Mapping[str, str], momentum: float
) -> None:
    """Move copies in place towards their modules: xi <- tau xi + (1 - tau) theta.

    Args:
        weights: Parameters by name. Nothing couples the values of one, so they may
            have members of an ensemble on a first axis.
        copies: Name of each copy -> name of the module that it is of.
        momentum: tau, in [0, 1]; at 0 the copy is the module.

    Raises:
        ValueError: A copy that has no weights, or a momentum out of range.
    """
    pairs = [
        (old, weights[f"{module}.{name.removeprefix(f'{part}.')}"])
        for part, module in copies.items()
        for name, old in weights.items()
        if name.startswith(f"{part}.")
    ]
    if not pairs:
        raise ValueError(f"no weights of {list(copies)}; known are {list(weights)}")
    check_momentum(momentum)
    move = get_ema_multi_avg_fn(momentum)  # type: ignore[no-untyped-call]  # torch
    move([old for old, _ in pairs], [new for _, new in pairs], 0)


class LeftBehind:
    """Notices that trained weights moved, and what is not trained never did.

    A fused optimiser does not say that it moved a weight, so the first weight is looked
    at, but only until something that is not trained has moved.
    """

    def __init__(self) -> None:
        """Know nothing yet."""
        self.settled = False
        self.start: tuple[int, Tensor] | None = None

    def __call__(self, module: nn.Module) -> bool:
        """Whether it is so now, for the first time; to be asked before each step."""
        if self.settled:
            return False
        trained = [p for p in module.parameters() if p.requires_grad]
        others = [p for p in module.parameters() if not p.requires_grad]
        age = sum(p._version for p in (*others, *module.buffers()))
        weight = trained[0].detach()
        if self.start is None:
            self.start = age, weight.clone()
            return False
        before, first = self.start
        left = age == before and not torch.equal(first.to(weight), weight)
        self.settled = left or age != before
        return left
