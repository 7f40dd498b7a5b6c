"""How the weights move: AdamW, a linear warm-up and half a cosine; or plain descent."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import torch
from torch import nn
from torch.optim.lr_scheduler import LambdaLR

BETAS = (0.9, 0.95)


def warmup_cosine(step: int, steps: int, warmup: float) -> float:
    """Share of the peak learning rate: linear warm-up, then half a cosine to 0.

    Args:
        step: From 0; after the last it stays what it was at the end.
        steps: All of them.
        warmup: Share of the steps that warm up.

    >>> [round(warmup_cosine(s, 100, 0.1), 2) for s in (0, 9, 10, 55, 100, 150)]
    [0.1, 1.0, 1.0, 0.5, 0.0, 0.0]
    """
    step = min(step, steps)
    warm = max(1, round(warmup * steps))
    if step < warm:
        return (step + 1) / warm
    return 0.5 * (1 + math.cos(math.pi * (step - warm) / max(1, steps - warm)))


def adamw(
    parameters: Iterable[nn.Parameter],
    lr: float,
    weight_decay: float,
    *,
    fused: bool = True,
) -> torch.optim.AdamW:
    """AdamW over what is trained; only weight matrices decay.

    Biases, norms and tokens, which have no second axis, have no weight decay.

    Args:
        parameters: Those that need no gradient are left out.
        lr: Peak learning rate.
        weight_decay: Decoupled, times the learning rate.
        fused: Whether a step is one kernel.

    References:
        Loshchilov & Hutter 2019, arXiv 1711.05101; betas of He et al., 2111.06377.
    """
    trained = [p for p in parameters if p.requires_grad]
    groups: list[dict[str, Any]] = [
        {"params": [p for p in trained if p.ndim > 1]},
        {"params": [p for p in trained if p.ndim <= 1], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(
        groups, lr=lr, betas=BETAS, weight_decay=weight_decay, fused=fused
    )


def gradient_flow(parameters: Iterable[nn.Parameter], lr: float) -> Any:
    """Gradient descent at a constant rate, without momentum, as Lightning asks for it.

    Args:
        parameters: All of them are trained.
        lr: Learning rate: the time that a step takes in the flow.
    """
    optimizer = torch.optim.SGD(parameters, lr=lr)
    schedule = LambdaLR(optimizer, lambda _: 1.0)
    return [optimizer], [{"scheduler": schedule, "interval": "step"}]
