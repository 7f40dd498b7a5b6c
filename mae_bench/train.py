"""One cell -> a frozen encoder.

The world, the images, the initial weights and the masks each have their own stream of
randomness, derived from the cell: nothing depends on a global seed or on what ran
before.
"""

from __future__ import annotations

import io
import logging
import time
import warnings
from collections import deque
from collections.abc import Iterator
from itertools import islice
from typing import Any

import lightning as L
import torch

from mae_bench import registry
from mae_bench.datasets import Batch, Dataset
from mae_bench.methods import Method
from mae_bench.schema import Cell
from mae_bench.store import Trained

STEPS_A_CALL = 10
CHECK_EVERY = 5  # calls


class Diverged(ArithmeticError):
    """The loss stopped being a finite number."""


def generator(seed: int, device: str = "cpu") -> torch.Generator:
    """A stream of randomness on a device."""
    return torch.Generator(device).manual_seed(seed)


def build(cell: Cell, device: str) -> tuple[Dataset, Method]:
    """The cell's world and its untrained method, the same on every machine.

    World parameters and initial weights are drawn on the CPU, so that a GPU starts
    from the same ones.
    """
    world = registry.load("datasets", cell.dataset)
    learner = registry.load("methods", cell.method)
    dataset: Dataset = world(generator(cell.stream("world")), **cell.dataset_settings)
    init = generator(cell.stream("init"))
    method: Method = learner(dataset, init, **cell.method_settings)
    return dataset, method.to(device)


class Batches:
    """The training images of a cell, sampled on the device, ``last_step`` times."""

    def __init__(self, dataset: Dataset, cell: Cell, method: Method, device: str):
        """Keep what is needed to draw."""
        self.dataset, self.method = dataset, method
        self.seed, self.device = cell.stream("data"), device

    def draw(self) -> Iterator[Batch]:
        """One batch a step, afresh from the start of the stream."""
        stream = generator(self.seed, self.device)
        for _ in range(self.method.last_step):
            yield self.dataset.sample(self.method.batch_size, stream)

    def __iter__(self) -> Iterator[Iterator[Batch]]:
        """The same, as many at a time as ``training_step`` shall take."""
        batches = self.draw()
        for first in range(0, self.method.last_step, STEPS_A_CALL):
            count = min(STEPS_A_CALL, self.method.last_step - first)
            yield islice(batches, count)


class Watch(L.Callback):
    """Stops a run whose loss is not finite, and remembers the last tenth of them.

    It looks at the numbers only now and then: looking makes a GPU wait.
    """

    def __init__(self, steps: int) -> None:
        """Remember at most a tenth of ``steps`` losses."""
        self.losses: deque[torch.Tensor] = deque(maxlen=max(1, steps // 10))

    def on_train_batch_end(
        self,
        trainer: L.Trainer,
        pl_module: L.LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
    ) -> None:
        """Keep the loss; check it now and then."""
        del trainer, pl_module, batch
        self.losses.extend(outputs["loss"])
        if (batch_idx + 1) % CHECK_EVERY == 0:
            self.check((batch_idx + 1) * STEPS_A_CALL)

    def check(self, step: int) -> float:
        """Mean of the remembered losses.

        Raises:
            Diverged: It is not finite.
        """
        loss = torch.stack(list(self.losses)).mean().item()
        if not torch.isfinite(torch.tensor(loss)):
            raise Diverged(f"the loss was {loss} by step {step}")
        return loss


def fit(method: Method, batches: Batches, device: str) -> float:
    """Train in place with Lightning; gives the mean loss of the last tenth.

    Raises:
        Diverged: The loss stopped being finite.
    """
    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    watch = Watch(method.last_step)
    kind, _, index = device.partition(":")
    with warnings.catch_warnings():
        # An iterable without length and no validation are what is wanted here.
        warnings.filterwarnings("ignore", module=r"lightning\..*")
        trainer = L.Trainer(
            accelerator="gpu" if kind == "cuda" else kind,
            devices=[int(index or 0)] if kind == "cuda" else 1,
            precision="bf16-mixed" if kind == "cuda" else "32-true",
            max_epochs=1,
            logger=False,
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
            num_sanity_val_steps=0,
            limit_val_batches=0,
            callbacks=[watch],
        )
        trainer.fit(method, train_dataloaders=batches)
    return watch.check(method.last_step)


def train(cell: Cell, device: str = "cpu") -> tuple[Trained, bytes]:
    """Train a cell; gives how it ended, and the weights if it ended well."""
    dataset, method = build(cell, device)
    method.noise = generator(cell.stream("noise"), device)
    start, loss = time.perf_counter(), None
    if method.trains and method.last_step:
        try:
            loss = fit(method, Batches(dataset, cell, method, device), device)
        except Diverged as error:
            return Trained("diverged", str(error)), b""
        except torch.cuda.OutOfMemoryError as error:
            return Trained("out_of_memory", str(error).partition("\n")[0]), b""
    seconds = time.perf_counter() - start if loss is not None else 0.0
    weights = io.BytesIO()
    torch.save(method.state_dict(), weights)
    trained = Trained("ok", "", seconds, dataset.fingerprint(), loss)
    return trained, weights.getvalue()


def restore(
    cell: Cell, trained: Trained, weights: bytes, device: str
) -> tuple[Dataset, Method]:
    """The world and the frozen method of a trained cell.

    Raises:
        ValueError: The world is not the one that the encoder was trained on.
    """
    dataset, method = build(cell, device)
    if dataset.fingerprint() != trained.fingerprint:
        raise ValueError(
            f"cell {cell.key} was trained on another {cell.dataset} "
            f"({trained.fingerprint}, now {dataset.fingerprint()}); run it again "
            "with --rerun always"
        )
    state = torch.load(io.BytesIO(weights), map_location=device, weights_only=True)
    method.load_state_dict(state)
    return dataset, method.eval().requires_grad_(False)
