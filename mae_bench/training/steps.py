"""A method's training in the suite: some steps a call, on batches drawn whole."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import lightning as L
import torch
from jaxtyping import Float
from torch import Tensor

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
            loss = method.loss(batch, method.noise)
            optimizer.zero_grad()
            self.manual_backward(loss)
            optimizer.step()
            method.follow(weights, schedule.last_epoch)
            schedule.step()
            losses.append(loss.detach())
        return torch.stack(losses)

    def transfer_batch_to_device(
        self, batch: Iterable[Batch], device: torch.device, dataloader_idx: int
    ) -> Iterable[Batch]:
        """Nothing to do: images are sampled on the device."""
        del device, dataloader_idx
        return batch

    def configure_optimizers(self) -> Any:
        """The method's own."""
        return self.method.configure_optimizers()
