"""Speed of the instruments: masks, probes, oracles, judging; one thread each.

Parts are imported where they are used: a commit that lacks one loses that benchmark
alone.
"""

from __future__ import annotations

from importlib import import_module
from itertools import product
from pathlib import Path
from typing import ClassVar

import torch

import mae_bench
from mae_bench.records import registry

SIZES = ["usual", "large"]
PROBES = ["linear_probe", "linear_r2", "knn_probe", "block_r2", "mcc"]


class Masks:
    """The masks of 1024 images of 8 x 8 patches, a quarter of them visible."""

    version = "1"
    timeout = 60
    params: ClassVar = ["random", "block", "grid", "aligned", "quad"]
    param_names: ClassVar = ["family"]

    def setup(self, family: str) -> None:
        from mae_bench.models.masking import random_masking

        torch.set_num_threads(1)
        self.draw = random_masking
        self.stream = torch.Generator().manual_seed(0)

    def time_mask_1024(self, family: str) -> None:
        self.draw(1024, 8, 0.75, self.stream, family=family)


class Probes:
    """The fit of a probe: 2000 images, 1000 and 2000 more, features 32 wide."""

    version = "1"
    timeout = 120
    repeat = (1, 5, 2.0)
    params: ClassVar = PROBES
    param_names: ClassVar = ["metric"]

    def setup(self, metric: str) -> None:
        torch.set_num_threads(1)
        self.metric = registry.load("metrics", metric)
        split = import_module("mae_bench.metrics").Split
        stream = torch.Generator().manual_seed(0)
        weights = torch.randn(32, 4, generator=stream)
        self.splits = []
        for n in (2000, 1000, 2000):
            features = torch.randn(n, 32, generator=stream)
            z = features @ weights + torch.randn(n, 4, generator=stream)
            labels = self.metric.reads == "labels"
            target = z.argmax(1) if labels else {"level_0": z}
            self.splits.append(split(features, target))

    def time_fit(self, metric: str) -> None:
        self.metric(*self.splits)

    def peakmem_fit(self, metric: str) -> None:
        self.metric(*self.splits)


class Judging:
    """Every claim held against the committed measurements of the code at hand."""

    version = "1"
    timeout = 120
    repeat = (1, 3, 5.0)

    def setup(self) -> None:
        from mae_bench.records.read import read_measurements
        from mae_bench.verdicts.judge import judge

        folder = Path(mae_bench.__file__).parent.parent / "results" / "measurements"
        if not folder.is_dir():
            raise NotImplementedError("no measurements beside this package")
        self.judge, self.rows = judge, read_measurements(folder)
        names = registry.names("theories")
        self.theories = {name: registry.load("theories", name) for name in names}

    def time_judge(self) -> None:
        self.judge(self.theories, self.rows)


class Oracles:
    """Exact answers at the sizes that experiments ask for, and at larger ones."""

    version = "2"
    timeout = 300
    repeat = (1, 5, 2.0)
    params: ClassVar = SIZES
    param_names: ClassVar = ["size"]

    def setup(self, size: str) -> None:
        from mae_bench.datasets.gaussian_field import exponential
        from mae_bench.datasets.invertible_tree import InvertibleTree
        from mae_bench.datasets.random_hierarchy import RandomHierarchy

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
        from mae_bench.oracles.belief_propagation import posteriors

        posteriors(self.hierarchy, self.spelt, self.leaves)

    def time_linear_mae_all_ranks_of_16x16_or_32x32(self, size: str) -> None:
        from mae_bench.oracles.linear_mae import all_ranks_loss

        all_ranks_loss(self.field, 0.75, 2)

    def time_linear_mae_masked_only_of_8x8_or_16x16(self, size: str) -> None:
        from mae_bench.oracles.linear_mae import solve_masked_only

        solve_masked_only(self.patched, 0.75, 2)

    def time_gaussian_conditioning_1000_masks_of_8x8_or_16x16(self, size: str) -> None:
        from mae_bench.oracles.gaussian_conditioning import bayes_error

        bayes_error(self.patched, self.masks)

    def time_mask_graph_of_64_or_256_images(self, size: str) -> None:
        from mae_bench.oracles.mask_graph import all_masks, mask_graph, tail_sum

        n = len(self.tokens)
        share = torch.full((n,), 1 / n, dtype=torch.float64)
        graph = mask_graph(self.tokens, share, all_masks(self.length, 3))
        tail_sum(graph.adjacency, 4)

    def time_two_sample_floor_2000_of_16_or_64_leaves(self, size: str) -> None:
        from mae_bench.oracles.two_sample_floor import two_sample_floor

        two_sample_floor(self.tree, self.grown, self.halves, self.stream)

    def time_located_latents_2000_of_16x16_or_64x64(self, size: str) -> None:
        from mae_bench.oracles.located_latents import quadtree_c

        quadtree_c(self.squares)

    def time_level_table_of_16x16_or_64x64(self, size: str) -> None:
        from mae_bench.oracles.located_latents import level_table

        level_table(self.grid, (1,), (0.5,))
