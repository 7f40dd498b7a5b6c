"""Speed of the hot paths, one thread each, on the sizes of tier quick and larger."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from itertools import product
from typing import ClassVar

import torch

from mae_bench import registry, train
from mae_bench.datasets import LinearGaussian
from mae_bench.datasets.gaussian_field import exponential
from mae_bench.datasets.invertible_tree import InvertibleTree
from mae_bench.datasets.random_hierarchy import RandomHierarchy
from mae_bench.methods import Method
from mae_bench.oracles.belief_propagation import posteriors
from mae_bench.oracles.gaussian_conditioning import bayes_error
from mae_bench.oracles.linear_mae import all_ranks_loss, solve_masked_only
from mae_bench.oracles.located_latents import level_table, quadtree_c
from mae_bench.oracles.mask_graph import all_masks, mask_graph, tail_sum
from mae_bench.oracles.two_sample_floor import two_sample_floor
from mae_bench.schema import TIERS, Cell

METHODS = ["mae", "u_mae", "simclr", "supervised"]
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
        if isinstance(world, LinearGaussian):
            world.covariance()

    def time_sample_64(self, dataset: str, size: str) -> None:
        self.world.sample(64, self.stream)


class Oracles:
    """Exact answers at the sizes that experiments ask for, and at larger ones."""

    version = "2"
    timeout = 300
    repeat = (1, 5, 2.0)
    params: ClassVar = SIZES
    param_names: ClassVar = ["size"]

    def setup(self, size: str) -> None:
        torch.set_num_threads(1)
        self.stream = torch.Generator().manual_seed(0)
        large = size == "large"
        self.field = exponential(32 if large else 16, 2.0)
        self.patched = exponential(16 if large else 8, 2.0)
        d = len(self.patched)
        noise = torch.rand(1000, d, generator=self.stream)
        self.masks = (noise.argsort(1) < 3 * d // 4).float()
        rules = ["random:2"] * (3 if large else 2) + ["shift:4"]
        self.hierarchy = RandomHierarchy(self.stream, rules=",".join(rules))
        self.spelt = self.hierarchy.sample(5000, self.stream).images
        places = (5000, 4**self.hierarchy.depth)
        self.leaves = (torch.rand(places, generator=self.stream) < 0.5).float()
        shape = {"depth": 3, "root_width": 1} if large else {}
        self.tree = InvertibleTree(self.stream, **shape)
        self.grown = self.tree.sample(2000, self.stream)
        leaves = len(self.tree.parents[-1])
        noise = torch.rand(2000, leaves, generator=self.stream)
        self.halves = (noise.argsort(1) < leaves // 2).float()
        self.length = 8 if large else 6
        self.tokens = torch.tensor(list(product((0, 1), repeat=self.length)))
        self.grid = 64 if large else 16
        places = (2000, self.grid, self.grid)
        self.squares = (torch.rand(places, generator=self.stream) < 0.5).int()

    def time_belief_propagation_5000_of_64_or_256_leaves(self, size: str) -> None:
        posteriors(self.hierarchy, self.spelt, self.leaves)

    def time_linear_mae_all_ranks_of_16x16_or_32x32(self, size: str) -> None:
        all_ranks_loss(self.field, 0.75, 2)

    def time_linear_mae_masked_only_of_8x8_or_16x16(self, size: str) -> None:
        solve_masked_only(self.patched, 0.75, 2)

    def time_gaussian_conditioning_1000_masks_of_8x8_or_16x16(self, size: str) -> None:
        bayes_error(self.patched, self.masks)

    def time_mask_graph_of_64_or_256_images(self, size: str) -> None:
        n = len(self.tokens)
        share = torch.full((n,), 1 / n, dtype=torch.float64)
        graph = mask_graph(self.tokens, share, all_masks(self.length, 3))
        tail_sum(graph.adjacency, 4)

    def time_two_sample_floor_2000_of_16_or_64_leaves(self, size: str) -> None:
        two_sample_floor(self.tree, self.grown, self.halves, self.stream)

    def time_located_latents_2000_of_16x16_or_64x64(self, size: str) -> None:
        quadtree_c(self.squares)

    def time_level_table_of_16x16_or_64x64(self, size: str) -> None:
        level_table(self.grid, (1,), (0.5,))


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
