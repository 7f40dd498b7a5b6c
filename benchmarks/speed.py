"""Speed of training and of the worlds, one thread each, on the sizes of tier quick.

Parts are imported where they are used: a commit that lacks one loses that benchmark
alone.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from typing import ClassVar

import torch

from mae_bench.methods import Method
from mae_bench.records import registry
from mae_bench.records.schema import TIERS, Cell
from mae_bench.training import train

METHODS = [m for m in registry.names("methods") if registry.load("methods", m).trains]
SIZES = ["usual", "large"]
# Settings at both sizes of the worlds whose parameters or covariance cost most.
WORLDS: dict[str, tuple[dict[str, int], dict[str, int]]] = {
    "gaussian_tree": ({}, {"tree_depth": 4}),
    "invertible_tree": ({}, {"depth": 3, "root_width": 1}),
    "gaussian_field": ({}, {"image_size": 32}),
    "ising": ({"sweeps": 5}, {"sweeps": 5, "image_size": 16}),
    "content_style": ({}, {"content": 32, "style": 32}),
}


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
    weights = dict(method.named_parameters())
    for step, batch in enumerate(batches.draw()):
        loss = method.loss(batch, method.noise)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        method.follow(weights, step)
        schedule["scheduler"].step()


class TrainingStep:
    """200 steps of a method on gaussian_tree."""

    version = "1"
    timeout = 120
    repeat = (1, 3, 3.0)  # no more than about 3 seconds of each
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

    def track_per_1000_images(self, method: str) -> float:
        # The inverse of images a second: of a number in asv, less is better. Seconds
        # of the processor, of which a busy machine takes none away.
        images = self.method.steps * self.method.batch_size
        rounds = []
        for _ in range(3):
            start = time.process_time()
            bare_loop(self.cell, self.method, self.batches)
            rounds.append(time.process_time() - start)
        return round(1000 * statistics.median(rounds) / images, 6)

    track_per_1000_images.unit = "seconds"  # type: ignore[attr-defined]


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
    """A batch of a world, alone and beside MAE's training step on that batch."""

    version = "2"
    timeout = 300
    params: ClassVar = [
        "gaussian_tree",
        "digits",
        "surrogate_digits",
        "invertible_tree",
        "random_hierarchy",
        "gaussian_field",
        "ising",
        "sprites",
        "content_style",
    ]
    param_names: ClassVar = ["dataset"]

    def setup(self, dataset: str) -> None:
        torch.set_num_threads(1)
        self.cell = cell_of(dataset, "mae")
        self.stream = torch.Generator().manual_seed(0)
        self.world = registry.load("datasets", dataset)(self.stream)
        self.n = TIERS["quick"].batch_size

    def time_sample_64(self, dataset: str) -> None:
        self.world.sample(self.n, self.stream)

    def track_share_of_a_training_step(self, dataset: str) -> float:
        world, method = train.build(self.cell, "cpu")
        batches = train.Batches(world, self.cell, method, "cpu")
        rounds = []
        for _ in range(5):
            start = time.process_time()
            bare_loop(self.cell, method, batches)
            step = (time.process_time() - start) / method.steps
            start = time.process_time()
            for _ in range(method.steps):
                self.world.sample(self.n, self.stream)
            sample = (time.process_time() - start) / method.steps
            rounds.append(sample / (step - sample))
        return round(statistics.median(rounds), 4)

    track_share_of_a_training_step.unit = "ratio"  # type: ignore[attr-defined]


class Growth:
    """A world's beginning, exact covariance included, and a batch, at two sizes."""

    version = "1"
    timeout = 300
    repeat = (1, 5, 2.0)  # no more than about 2 seconds of each
    params: ClassVar = [list(WORLDS), SIZES]
    param_names: ClassVar = ["dataset", "size"]

    def setup(self, dataset: str, size: str) -> None:
        torch.set_num_threads(1)
        self.settings = WORLDS[dataset][SIZES.index(size)]
        self.kind = registry.load("datasets", dataset)
        self.stream = torch.Generator().manual_seed(0)
        self.world = self.kind(self.stream, **self.settings)

    def time_begin(self, dataset: str, size: str) -> None:
        world = self.kind(self.stream, **self.settings)
        if hasattr(world, "covariance"):
            world.covariance()

    def time_sample_64(self, dataset: str, size: str) -> None:
        self.world.sample(64, self.stream)


class StartUp:
    """The command line before it does anything."""

    version = "1"
    timeout = 60

    def _run(self, *words: str) -> None:
        call = [sys.executable, "-m", "mae_bench.cli", *words]
        subprocess.run(call, check=True, capture_output=True)  # noqa: S603 (fixed words)

    def time_help(self) -> None:
        self._run("--help")

    def time_list(self) -> None:
        self._run("list")
