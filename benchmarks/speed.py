"""Speed of the hot paths, one thread each, on the sizes of tier quick."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from typing import ClassVar

import torch

from mae_bench import registry, train
from mae_bench.methods import Method
from mae_bench.schema import TIERS, Cell

METHODS = ["mae", "u_mae", "simclr", "supervised"]


def cell_of(dataset: str, method: str, steps: int = 200) -> Cell:
    """A cell of tier quick, cut to ``steps``."""
    settings = registry.settings(registry.load("methods", method))
    budget = {k: v for k, v in TIERS["quick"].budget().items() if k in settings}
    world = registry.settings(registry.load("datasets", dataset))
    sized = settings | budget | {"steps": steps}
    return Cell(dataset, method, "quick", 0, world, sized, {})


def bare_loop(cell: Cell, method: Method, batches: train.Batches) -> None:
    """The steps of a cell without Lightning."""
    (optimizer,), (schedule,) = method.configure_optimizers()
    method.noise = train.generator(cell.stream("noise"))
    method.train()
    for batch in batches.draw():
        loss = method.loss(batch, method.noise)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        schedule["scheduler"].step()


class TrainingStep:
    """200 steps of a method on gaussian_tree."""

    version = "1"
    timeout = 120
    params: ClassVar = METHODS
    param_names: ClassVar = ["method"]

    def setup(self, method: str) -> None:
        torch.set_num_threads(1)
        self.cell = cell_of("gaussian_tree", method)
        self.dataset, self.method = train.build(self.cell, "cpu")
        self.batches = train.Batches(self.dataset, self.cell, self.method, "cpu")

    def time_200_steps(self, method: str) -> None:
        bare_loop(self.cell, self.method, self.batches)

    def peakmem_200_steps(self, method: str) -> None:
        bare_loop(self.cell, self.method, self.batches)


class Lightning:
    """What ``fit`` costs over a bare loop of the same steps."""

    version = "1"
    timeout = 300

    def setup(self) -> None:
        torch.set_num_threads(1)
        self.cell = cell_of("gaussian_tree", "mae", steps=TIERS["quick"].steps)

    def _seconds(self, lightning: bool) -> float:
        dataset, method = train.build(self.cell, "cpu")
        batches = train.Batches(dataset, self.cell, method, "cpu")
        method.noise = train.generator(self.cell.stream("noise"))
        # Seconds of the processor: one thread, whatever else the machine is doing.
        start = time.process_time()
        if lightning:
            train.fit(method, batches, "cpu")
        else:
            bare_loop(self.cell, method, batches)
        return time.process_time() - start

    def track_fit_over_bare_loop(self) -> float:
        self._seconds(True)  # imports that Lightning puts off
        rounds = [self._seconds(True) / self._seconds(False) for _ in range(7)]
        return round(statistics.median(rounds), 4)

    track_fit_over_bare_loop.unit = "ratio"  # type: ignore[attr-defined]


class Sampling:
    """128 images of a world; a training step takes some 10 ms."""

    version = "1"
    params: ClassVar = ["gaussian_tree", "digits"]
    param_names: ClassVar = ["dataset"]

    def setup(self, dataset: str) -> None:
        torch.set_num_threads(1)
        self.stream = torch.Generator().manual_seed(0)
        self.world = registry.load("datasets", dataset)(self.stream)

    def time_sample_128(self, dataset: str) -> None:
        self.world.sample(128, self.stream)


class StartUp:
    """The command line before it does anything."""

    version = "1"

    def _run(self, *words: str) -> None:
        call = [sys.executable, "-m", "mae_bench.cli", *words]
        subprocess.run(call, check=True, capture_output=True)  # noqa: S603 (fixed words)

    def time_help(self) -> None:
        self._run("--help")

    def time_list(self) -> None:
        self._run("list")
