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
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import lightning as L
import torch
from lightning.pytorch.strategies import Strategy
from torch import Tensor

from mae_bench.datasets import Batch, Dataset
from mae_bench.methods import Method
from mae_bench.models.decoder import Decoder, LinearDecoder, PointwiseDecoder
from mae_bench.models.vit import ViT
from mae_bench.records import registry
from mae_bench.records.schema import FULL_PRECISION, Cell, Precision
from mae_bench.records.store import Trained
from mae_bench.training.attached import NOBODY, NOTHING, Attached, Beside
from mae_bench.training.places import reading_place
from mae_bench.training.resume import Resume
from mae_bench.training.steps import Steps
from mae_bench.training.watch import Diverged, Watch, calls, curves, last_tenth

# Compiling takes the better part of a minute, which a cell of tier full repays.
COMPILE_FROM = 5000  # steps

Keep = Callable[[Cell, Trained, bytes], None]


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
    """The training images of a cell, ``last_step`` times, sampled where it trains.

    But not on mps: some worlds draw in float64, which it lacks.
    """

    def __init__(
        self,
        dataset: Dataset,
        cell: Cell,
        method: Method,
        device: str,
        stops: Collection[int] = (),
    ) -> None:
        """Keep what is needed to draw; after ``stops`` many, a call ends."""
        self.dataset, self.method, self.stops = dataset, method, stops
        self.seed, self.device = cell.stream("data"), device
        self.precision = cell.precision
        self.stream, self.first, self.taken = self._start(), 0, 0
        self.state = self.stream.get_state()

    def _start(self) -> torch.Generator:
        return generator(self.seed, reading_place(self.device))

    def go_on(self, taken: int, state: Tensor) -> None:
        """Draw from there on: after so many, with the stream in this state."""
        self.first, self.state = taken, state

    def draw(self) -> Iterator[Batch]:
        """One batch a step, from the start of the stream or where it goes on."""
        self.stream, self.taken = self._start(), self.first
        self.stream.set_state(self.state)
        for _ in range(self.first, self.method.last_step):
            batch = self.dataset.sample(self.method.batch_size, self.stream)
            self.taken += 1
            yield batch.to(self.device) if self.device == "mps" else batch

    def __iter__(self) -> Iterator[Iterator[Batch]]:
        """The same, as many at a time as a call of ``Steps`` shall take."""
        return calls(self.draw(), self.method.last_step, self.stops, self.first)


def repays_compiling(method: Method, device: str) -> bool:
    """Whether a training is long enough; on a CPU its numbers stay as they are."""
    return device.startswith("cuda") and method.last_step >= COMPILE_FROM


def compile_(method: Method, several: bool) -> None:
    """Compile a method in place; of several processes, encoder and decoder alone.

    There its loss is called from within Lightning's step and DDP's, which would be
    traced with it, and take longer to compile than the networks.
    """
    networks = (ViT, Decoder, LinearDecoder, PointwiseDecoder)
    parts = [part for part in method.children() if isinstance(part, networks)]
    for part in parts if several else [method]:
        part.compile()


def run(
    module: L.LightningModule,
    batches: Iterable[Any],
    device: str,
    watch: Watch,
    strategy: Strategy | None = None,
    precision: Precision = FULL_PRECISION,
    resume: Resume | None = None,
    beside: Beside = NOBODY,
) -> list[float]:
    """Train in place with Lightning, the steps of a method or an ensemble.

    Args:
        module: Optimises by hand; its step gives the losses of some steps.
        batches: What each call of that step is given.
        device: Where it trains, and its weights are.
        watch: Looks at the losses.
        strategy: Of several processes, which knows their devices; see ``parallel``.
        precision: The cells', in Lightning's words.
        resume: Keeps where it stands, and goes on from there.
        beside: Look on.

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
            enable_model_summary=False,
            num_sanity_val_steps=0,
            limit_val_batches=0,
            callbacks=[watch, *([resume] if resume else []), *beside.callbacks],
            **beside.words(),
        )
        found = resume.found() if resume else None
        trainer.fit(module, batches, ckpt_path=found, weights_only=True)
    return watch.check()


def train(
    cell: Cell,
    device: str = "cpu",
    strategy: Strategy | None = None,
    passing: Sequence[Cell] = (),
    keep: Keep | None = None,
    unfinished: Path | None = None,
    attached: Attached = NOTHING,
) -> tuple[Trained, bytes]:
    """Train a cell; gives how it ended, and the weights if it ended well.

    Args:
        cell: What is trained.
        device: Where.
        strategy: Of this process among several; see ``parallel``.
        passing: Cells that differ from it by an earlier ``stop`` alone: their ends lie
            on its way, and are the same as if each were trained by itself.
        keep: Told of each as it is passed, as of a training.
        unfinished: Where a long training keeps how far it is, to go on from there if
            it is killed; see ``resume``. One of several processes does not.
        attached: The user's loggers and callbacks.
    """
    dataset, method = build(cell, device)
    method.noise = generator(cell.stream("noise"), device)
    start, loss, curve = time.perf_counter(), None, None
    resume: Resume | None = None

    def ended(loss: float | None, curve: list[float] | None) -> Trained:
        seconds = time.perf_counter() - start if loss is not None else 0.0
        seconds += resume.seconds if resume else 0.0
        return Trained("ok", "", seconds, dataset.fingerprint(), loss, curve=curve)

    def passed(other: Cell, steps: int) -> Callable[[Tensor], None]:
        def on_the_way(losses: Tensor) -> None:
            assert keep is not None
            (loss,), (curve,) = last_tenth(losses, steps), curves(losses)
            keep(other, ended(loss, curve), weights_of(method))

        return on_the_way

    if method.trains and method.last_step:
        early = {steps: passed(c, steps) for c, steps in _stops(passing, method)}
        watch = Watch(method.last_step, early)
        try:
            batches = Batches(dataset, cell, method, device, early)
            if unfinished is not None and strategy is None:
                resume = Resume(unfinished, batches, method.noise)
            if repays_compiling(method, device):
                compile_(method, several=strategy is not None)
            steps = Steps(method)
            words = (strategy, cell.precision, resume, attached.beside(cell))
            (loss,) = run(steps, batches, device, watch, *words)
            (curve,) = watch.curves()
            if watch.taken < method.last_step:
                raise RuntimeError(
                    f"a callback stopped it after {watch.taken} of {method.last_step} "
                    "steps; one that is attached looks on"
                )
        except Diverged as error:
            return Trained("diverged", str(error)), b""
        except torch.cuda.OutOfMemoryError as error:
            return Trained("out_of_memory", str(error).partition("\n")[0]), b""
    return ended(loss, curve), weights_of(method)


def _stops(passing: Sequence[Cell], method: Method) -> list[tuple[Cell, int]]:
    """Each cell with the number of steps after which it ends."""
    steps = [round(float(c.method_settings["stop"]) * method.steps) for c in passing]  # type: ignore[arg-type]
    return list(zip(passing, steps, strict=True))


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
