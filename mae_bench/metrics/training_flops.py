"""Training FLOPs: what one optimiser step of a method costs on any machine."""

from typing import Any

import torch
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils._pytree import tree_leaves, tree_map
from torch.utils.flop_counter import FlopCounterMode

from mae_bench.datasets import Batch
from mae_bench.methods import Method
from mae_bench.metrics import metric

# Examples whose mean is taken: the number of patches that a step sees may be drawn.
DRAWS = 64


@metric(
    reads="step",
    direction="none",
    unit="operations",
    lower=0.0,
    version=1,
    source="torch.utils.flop_counter; Kaplan et al. 2020, arXiv 2001.08361, App. C",
)
def training_flops(
    method: Method, batch: Batch, generator: torch.Generator
) -> dict[str, float]:
    """Floating-point operations of matrix products, forward and backward.

    A product of [a, b] and [b, c] counts 2 a b c: those of linear layers, of attention
    (queries with keys, weights with values) and of a loss that compares images. A
    linear layer's backward pass has two such products, one for its weights and one for
    its input, and is twice its forward pass; where the input needs no gradient, as at
    the embedding of patches, or the weights are frozen, it has one or none.

    Left out: norms, softmax, GELU, biases and other work by element, what is drawn
    for a step (masks, views), the optimiser and the movement of a momentum copy. What
    is left out weighs more the narrower the network, so that seconds do not follow
    the count to the digit.

    Args:
        method: In training, its weights as they are at the start.
        batch: The images of one step.
        generator: Draws what the step is shown.

    Returns:
        ``step``: of one optimiser step, the mean where the number of patches that it
        sees is drawn; ``run``: times the steps that are taken.
    """
    counted: dict[tuple[torch.Size, ...], int] = {}
    drawn = []
    for _ in range(DRAWS):
        # Shapes alone are counted: one image, repeated, stands for all.
        one = method.prepare(batch.rows(slice(0, 1)), generator)
        shapes = tuple(tensor.shape for tensor in tree_leaves(one))
        if shapes not in counted:
            example = tree_map(lambda x: x.repeat_interleave(len(batch), 0), one)
            counted[shapes] = flops(method, example)
        drawn.append(counted[shapes])
    step = sum(drawn) / DRAWS
    return {"step": step, "run": step * method.last_step}


def flops(method: Method, example: Any) -> int:
    """Of one forward and backward pass, the same whatever kernel attends."""
    with FlopCounterMode(display=False) as counter, sdpa_kernel(SDPBackend.MATH):
        method(example).backward()
    total: int = counter.get_total_flops()
    return total
