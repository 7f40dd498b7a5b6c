"""Speed of the hot paths, one thread each, on the sizes of tier quick."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from itertools import product
from typing import ClassVar

import torch

from mae_bench import registry, train
from mae_bench.datasets.gaussian_field import exponential
from mae_bench.datasets.invertible_tree import InvertibleTree
from mae_bench.datasets.random_hierarchy import RandomHierarchy
from mae_bench.methods import Method
from mae_bench.oracles.belief_propagation import posteriors
from mae_bench.oracles.gaussian_conditioning import bayes_error
from mae_bench.oracles.linear_mae import all_ranks_loss
from mae_bench.oracles.located_latents import quadtree_c
from mae_bench.oracles.mask_graph import all_masks, mask_graph, tail_sum
from mae_bench.oracles.two_sample_floor import two_sample_floor
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


class Oracles:
    """Exact answers at the sizes that experiments ask for."""

    version = "1"
    timeout = 300

    def setup(self) -> None:
        torch.set_num_threads(2)
        self.stream = torch.Generator().manual_seed(0)
        self.field = exponential(16, 2.0)
        noise = torch.rand(1000, 64, generator=self.stream)
        self.masks = (noise.argsort(1) < 48).float()
        self.hierarchy = RandomHierarchy(
            self.stream, rules="random:2,random:2,shift:4", leaf_size=2
        )
        self.spelt = self.hierarchy.sample(10_000, self.stream).images
        self.leaves = (torch.rand(10_000, 64, generator=self.stream) < 0.5).float()
        self.tree = InvertibleTree(self.stream)
        self.grown = self.tree.sample(2000, self.stream)
        half = torch.rand(2000, 16, generator=self.stream).argsort(1) < 8
        self.halves = half.float()
        self.tokens = torch.tensor(list(product((0, 1), repeat=6)))

    def time_belief_propagation_10000_of_64_leaves(self) -> None:
        posteriors(self.hierarchy, self.spelt, self.leaves)

    def time_linear_mae_16x16_all_ranks(self) -> None:
        all_ranks_loss(self.field, 0.75, 2)

    def time_gaussian_conditioning_1000_masks_of_64_pixels(self) -> None:
        bayes_error(exponential(8, 2.0), self.masks)

    def time_mask_graph_of_64_images(self) -> None:
        share = torch.full((64,), 1 / 64, dtype=torch.float64)
        graph = mask_graph(self.tokens, share, all_masks(6, 3))
        tail_sum(graph.adjacency, 4)

    def time_two_sample_floor_2000_images(self) -> None:
        two_sample_floor(self.tree, self.grown, self.halves, self.stream)

    def time_located_latents_2000_masks_of_256_leaves(self) -> None:
        masks = torch.rand(2000, 16, 16, generator=self.stream) < 0.5
        quadtree_c(masks.int())


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
