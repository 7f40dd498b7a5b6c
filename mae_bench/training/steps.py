"""A method's training in the suite: some steps a call, on batches drawn whole."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import lightning as L
import torch
from jaxtyping import Float
from torch import Tensor
from torch.utils._pytree import tree_flatten, tree_unflatten

from mae_bench.datasets import Batch
from mae_bench.methods import Method


class Steps(L.LightningModule):
    """Takes a method's optimiser steps by hand.

    Lightning's own work is done once a call: of a small step it would be a share worth
    saving. Every process draws the whole batch, and keeps its own rows of what it is
    shown.
    """

    def __init__(self, method: Method) -> None:
        """Wrap a method, which is trained in place.

        Args:
            method: With ``noise`` seeded, on the device that it is trained on.

        Raises:
            TypeError: It has steps of its own, which would not be taken.
        """
        super().__init__()
        kind = type(method)
        if kind.training_step is not Method.training_step:
            raise TypeError(
                f"{kind.__name__} has a training_step of its own, which the suite does "
                "not take; say it by prepare, forward and follow"
            )
        self.automatic_optimization = False
        self.method = method
        method.whole = True

    def training_step(
        self, batches: Iterable[Batch], batch_idx: int
    ) -> Float[Tensor, " steps"]:
        """Some optimiser steps, one a batch; gives their losses."""
        del batch_idx
        method = self.method
        optimizer: Any = self.optimizers()
        schedule: Any = self.lr_schedulers()
        weights, losses = dict(method.named_parameters()), []
        for batch in batches:
            optimizer.zero_grad()
            losses.append(self._gradients(batch))
            optimizer.step()
            method.follow(weights, schedule.last_epoch)
            schedule.step()
        return torch.stack(losses)

    def _gradients(self, batch: Batch) -> Float[Tensor, ""]:
        """Leave a step's gradients in the weights; gives its loss."""
        method = self.method
        if method.accumulate == 1:
            loss = method.loss(batch, method.noise)
            self.manual_backward(loss)
            return loss.detach()
        found = []
        for part in _parts(method.shown(batch, method.noise), method.accumulate):
            loss = method(part) / method.accumulate
            self.manual_backward(loss)
            found.append(loss.detach())
        return torch.stack(found).sum()

    def transfer_batch_to_device(
        self, batch: Iterable[Batch], device: torch.device, dataloader_idx: int
    ) -> Iterable[Batch]:
        """Nothing to do: images are sampled on the device."""
        del device, dataloader_idx
        return batch

    def configure_optimizers(self) -> Any:
        """The method's own."""
        return self.method.configure_optimizers()


def _parts(example: Any, count: int) -> Iterator[Any]:
    """So many parts of a nest of tensors with the images on their first axis.

    Raises:
        ValueError: They are not of one size.
    """
    leaves, structure = tree_flatten(example)
    for leaf in leaves:
        if len(leaf) % count:
            raise ValueError(
                f"{len(leaf)} images cannot be taken in {count} parts; choose another "
                "batch_size, or accumulate"
            )
    for part in zip(*(leaf.chunk(count) for leaf in leaves), strict=True):
        yield tree_unflatten(part, structure)
