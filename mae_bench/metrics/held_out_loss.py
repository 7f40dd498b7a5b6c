"""Held-out loss: what a method minimises, on images that it was not trained on."""

import torch

from mae_bench.datasets import Batch
from mae_bench.methods import Method
from mae_bench.metrics import metric


@metric(
    reads="loss",
    direction="min",
    unit="the method's own loss",
    version=1,
    source="this suite; the loss is the method's own",
)
def held_out_loss(
    method: Method, batch: Batch, generator: torch.Generator
) -> dict[str, float]:
    """The method's own loss, the mean over batches as large as those of its training.

    It compares trainings of one method, whose masks and views are the same if the
    generator is, and of no two methods. Where the targets move with the weights, a
    low loss may only say that they are easy to tell: see ``Method.judged_by``.

    Args:
        method: Trained.
        batch: Held-out images. Those that fill no batch are left out, for some losses
            depend on its size; fewer than one batch are one.
        generator: Draws masks and views.

    Returns:
        ``mean``, over the batches.
    """
    size = min(method.batch_size, len(batch))
    starts = range(0, len(batch) - size + 1, size)
    parts = [batch.rows(slice(start, start + size)) for start in starts]
    losses = [method.loss(part, generator).item() for part in parts]
    return {"mean": sum(losses) / len(losses)}
