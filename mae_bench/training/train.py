"""One cell -> a frozen encoder.

The world, the images, the initial weights and the masks each have their own stream of
randomness, derived from the cell: nothing depends on a global seed or on what ran
before.
"""

from __future__ import annotations

import io
import logging
import math
import time
import warnings
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any, TypeVar

import lightning as L
import torch
from lightning.pytorch.strategies import Strategy

from mae_bench.datasets import Batch, Dataset
from mae_bench.methods import Method
from mae_bench.records import registry
from mae_bench.records.schema import FULL_PRECISION, Cell, Precision
from mae_bench.records.store import Trained
from mae_bench.training.steps import Steps

STEPS_A_CALL = 10
CHECK_EVERY = 5  # calls
POINTS = 32  # of a learning curve
# Compiling takes the better part of a minute, which a cell of tier full repays.
COMPILE_FROM = 5000  # steps

Step = TypeVar("Step")


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
    if cell.rounding:
        _round_otherwise(method, generator(cell.stream("rounding")))
    return dataset, method.to(device)


@torch.no_grad()
def _round_otherwise(method: Method, noise: torch.Generator) -> None:
    """Move the weights by about a unit in the last place, as other arithmetic does.

    Training is chaotic: from there on the same seed is another sample of all that is
    not its world, its images, its weights and its masks.
    """
    for weights in method.parameters():
        if weights.is_floating_point():
            moved = torch.randn(weights.shape, generator=noise, dtype=weights.dtype)
            weights.mul_(1 + torch.finfo(weights.dtype).eps * moved)


class Batches:
    """The training images of a cell, sampled on the device, ``last_step`` times."""

    def __init__(self, dataset: Dataset, cell: Cell, method: Method, device: str):
        """Keep what is needed to draw."""
        self.dataset, self.method = dataset, method
        self.seed, self.device = cell.stream("data"), device
        self.precision = cell.precision

    def draw(self) -> Iterator[Batch]:
        """One batch a step, afresh from the start of the stream."""
        stream = generator(self.seed, self.device)
        for _ in range(self.method.last_step):
            yield self.dataset.sample(self.method.batch_size, stream)

    def __iter__(self) -> Iterator[Iterator[Batch]]:
        """The same, as many at a time as a call of ``Steps`` shall take."""
        return calls(self.draw(), self.method.last_step)


def calls(steps: Iterable[Step], count: int) -> Iterator[Iterator[Step]]:
    """What ``count`` steps are given, as many at a time as a call takes.

    >>> [list(call) for call in calls(range(12), 12)]
    [[0, 1, 2, 3, 4, 5, 6, 7, 8, 9], [10, 11]]
    """
    given = _forgetful(steps)
    for first in range(0, count, STEPS_A_CALL):
        yield islice(given, min(STEPS_A_CALL, count - first))


def _forgetful(steps: Iterable[Step]) -> Iterator[Step]:
    """The same; autocast, which is on for a whole call, rounds each step's weights."""
    for step in steps:
        # It would else give all steps of a call the rounded weights of the first.
        torch.clear_autocast_cache()
        yield step


class Watch(L.Callback):
    """Stops a run whose loss is not finite, and remembers the losses of all steps.

    It looks at the numbers only now and then: looking makes a GPU wait. Of an
    ensemble, whose losses have an axis of members, it stops when none is left.

    Attributes:
        losses: Of each call, those of its steps: [steps], of an ensemble [steps, k].
        lost: Member -> why, of those whose loss is not finite; alone, it is member 0.
    """

    def __init__(self, steps: int) -> None:
        """Expect a run of ``steps``."""
        self.steps = steps
        self.losses: list[torch.Tensor] = []
        self.lost: dict[int, str] = {}

    def on_train_batch_end(
        self,
        trainer: L.Trainer,
        pl_module: L.LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
    ) -> None:
        """Keep the losses; check them now and then."""
        del trainer, pl_module, batch
        self.losses.append(outputs["loss"])
        if (batch_idx + 1) % CHECK_EVERY == 0:
            self.check((batch_idx + 1) * STEPS_A_CALL)

    def on_train_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Of several processes, each of which saw rows of its own, keep the mean."""
        del pl_module
        losses = trainer.strategy.reduce(torch.cat(self.losses), reduce_op="mean")
        self.losses = [losses]

    def check(self, step: int) -> list[float]:
        """Mean loss of the last tenth of the steps, of each member.

        Raises:
            Diverged: None is finite.
        """
        tenth = max(1, self.steps // 10)
        # No call is empty, and all but the last are whole.
        latest = torch.cat(self.losses[-(tenth // STEPS_A_CALL + 2) :])[-tenth:]
        losses = latest.mean(0).view(-1).tolist()
        for member, loss in enumerate(losses):
            if not math.isfinite(loss):
                self.lost.setdefault(member, f"the loss was {loss} by step {step}")
        if len(self.lost) == len(losses):
            raise Diverged(self.lost[0])
        return losses

    def curves(self) -> list[list[float]]:
        """The learning curve of each member, at ``POINTS`` or, if fewer, every step.

        Points are evenly spaced; each is the mean loss since the point before.
        """
        losses = torch.cat(self.losses).double()
        losses = losses.view(len(losses), -1)
        parts = losses.tensor_split(min(POINTS, len(losses)))
        found: list[list[float]] = torch.stack([p.mean(0) for p in parts], 1).tolist()
        return found


def repays_compiling(method: Method, device: str) -> bool:
    """Whether a training is long enough; on a CPU its numbers stay as they are."""
    return device.startswith("cuda") and method.last_step >= COMPILE_FROM


def fit(
    method: Method, batches: Batches, device: str, strategy: Strategy | None = None
) -> tuple[float, list[float]]:
    """Train in place with Lightning; gives the mean loss of the last tenth, the curve.

    Raises:
        Diverged: The loss stopped being finite.
    """
    watch = Watch(method.last_step)
    (loss,) = run(Steps(method), batches, device, watch, strategy, batches.precision)
    (curve,) = watch.curves()
    return loss, curve


def run(
    module: L.LightningModule,
    batches: Iterable[Any],
    device: str,
    watch: Watch,
    strategy: Strategy | None = None,
    precision: Precision = FULL_PRECISION,
) -> list[float]:
    """Train in place with Lightning, the steps of a method or an ensemble.

    Args:
        module: Optimises by hand; its step gives the losses of some steps.
        batches: What each call of that step is given.
        device: Where it trains, and its weights are.
        watch: Looks at the losses.
        strategy: Of several processes, which knows their devices; see ``parallel``.
        precision: The cells', in Lightning's words.

    Returns:
        Mean loss of the last tenth, of each member.

    Raises:
        Diverged: No loss is finite any more.
    """
    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    kind, _, index = device.partition(":")
    where: dict[str, Any] = {
        "accelerator": "gpu" if kind == "cuda" else kind,
        "devices": [int(index or 0)] if kind == "cuda" else 1,
    }
    with warnings.catch_warnings():
        # An iterable without length and no validation are what is wanted here.
        warnings.filterwarnings("ignore", module=r"lightning\..*")
        trainer = L.Trainer(
            **({"strategy": strategy} if strategy else where),
            precision=precision,
            max_epochs=1,
            logger=False,
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
            num_sanity_val_steps=0,
            limit_val_batches=0,
            callbacks=[watch],
        )
        trainer.fit(module, train_dataloaders=batches)
    return watch.check(watch.steps)


def train(
    cell: Cell, device: str = "cpu", strategy: Strategy | None = None
) -> tuple[Trained, bytes]:
    """Train a cell; gives how it ended, and the weights if it ended well.

    Args:
        cell: What is trained.
        device: Where.
        strategy: Of this process among several; see ``parallel``.
    """
    dataset, method = build(cell, device)
    method.noise = generator(cell.stream("noise"), device)
    start, loss, curve = time.perf_counter(), None, None
    if method.trains and method.last_step:
        try:
            batches = Batches(dataset, cell, method, device)
            if repays_compiling(method, device):
                method.compile()
            loss, curve = fit(method, batches, device, strategy)
        except Diverged as error:
            return Trained("diverged", str(error)), b""
        except torch.cuda.OutOfMemoryError as error:
            return Trained("out_of_memory", str(error).partition("\n")[0]), b""
    seconds = time.perf_counter() - start if loss is not None else 0.0
    end = Trained("ok", "", seconds, dataset.fingerprint(), loss, curve=curve)
    return end, weights_of(method)


def weights_of(method: Method) -> bytes:
    """What the store keeps of a trained method."""
    weights = io.BytesIO()
    torch.save(method.state_dict(), weights)
    return weights.getvalue()


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
