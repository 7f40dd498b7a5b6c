"""A long training keeps where it stands, and goes on from there after a kill.

What is kept is Lightning's checkpoint: weights, optimiser, schedule and the losses of
the steps so far; with it the two streams that training draws from, of images and of
masks. So a training that was interrupted ends with the numbers of one that was not, on
a CPU to the last bit.
"""

from __future__ import annotations

import os
import pickle
import time
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import lightning as L
import torch
from torch import Tensor

# Seconds between two looks back: what a kill costs at most, of this and longer cells.
KEEP_EVERY = 60.0
_UNREADABLE = (OSError, EOFError, RuntimeError, KeyError, pickle.UnpicklingError)


@runtime_checkable
class Drawn(Protocol):
    """Batches that know how many were drawn, and can be drawn from there on."""

    stream: torch.Generator
    taken: int

    def go_on(self, taken: int, state: Tensor) -> None:
        """Begin after so many, with the stream in this state."""


class Resume(L.Callback):
    """Writes where a training stands, every so often, and takes it up again.

    Args:
        path: File of the checkpoint; whoever keeps how the training ended, removes it.
        batches: Of the training.
        noise: Stream of the method's masks and views.

    Attributes:
        seconds: That earlier, interrupted runs of the training took.
    """

    def __init__(self, path: Path, batches: Drawn, noise: torch.Generator) -> None:
        self.path, self.batches, self.noise = path, batches, noise
        self.seconds = 0.0
        self.begun = self.kept = time.perf_counter()

    def found(self) -> str | None:
        """The checkpoint; None if there is none, or none that can be read."""
        if not self.path.exists():
            return None
        try:
            torch.load(self.path, map_location="cpu", weights_only=True)
        except _UNREADABLE:
            self.path.unlink(missing_ok=True)
            return None
        return str(self.path)

    def on_train_batch_end(
        self,
        trainer: L.Trainer,
        pl_module: L.LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
    ) -> None:
        """Write a checkpoint if the last one is old enough; whole or not at all."""
        del pl_module, outputs, batch, batch_idx
        if time.perf_counter() - self.kept < KEEP_EVERY:
            return
        self.path.parent.mkdir(parents=True, exist_ok=True)
        scratch = self.path.with_name(f".{self.path.name}.{os.getpid()}")
        trainer.save_checkpoint(scratch)
        os.replace(scratch, self.path)
        self.kept = time.perf_counter()

    def state_dict(self) -> dict[str, Any]:
        """Both streams, and the seconds so far."""
        return {
            "taken": self.batches.taken,
            "images": self.batches.stream.get_state(),
            "noise": self.noise.get_state(),
            "seconds": self.seconds + time.perf_counter() - self.begun,
        }

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Put both streams where they were."""
        self.batches.go_on(state_dict["taken"], state_dict["images"].cpu())
        self.noise.set_state(state_dict["noise"].cpu())
        self.seconds = state_dict["seconds"]
