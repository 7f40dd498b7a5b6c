"""A frozen encoder on the table: what it is shown, and what it says of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from mae_bench.datasets import Batch, Dataset, SplitName
from mae_bench.methods import Method, ViTMethod
from mae_bench.metrics import Skip
from mae_bench.models.masking import Masking
from mae_bench.records.rows import SHUFFLED
from mae_bench.records.schema import TIERS, Cell, digest

CHUNK = 500


@dataclass(frozen=True)
class Specimen:
    """A frozen encoder on the table, with its world, its images and how it learned."""

    cell: Cell
    dataset: Dataset
    method: Method
    view: str
    device: str
    curve: list[float] | None = None

    def stream(self, *axes: object) -> torch.Generator:
        """Randomness of one purpose: of the cell's evaluation, not of the method."""
        seed = int(digest(self.cell.stream("eval"), *axes)[:15], 16)
        return torch.Generator(self.device).manual_seed(seed)

    @cached_property
    def splits(self) -> dict[SplitName, Batch]:
        """Images for fitting, for choosing and for reporting."""
        tier = TIERS[self.cell.tier]
        sizes: dict[SplitName, int] = {
            "train": tier.n_train,
            "val": tier.n_val,
            "test": tier.n_test,
        }
        return {
            name: self.dataset.split(name, n, self.stream("images", name))
            for name, n in sizes.items()
        }

    def latents(self, name: SplitName, *, shuffled: bool) -> dict[str, Tensor]:
        """Level -> [n, k] of a split; if wanted also ``level/shuffled``.

        These are of other images, all levels of the same one: each image is given the
        whole story of another.
        """
        known = dict(self.splits[name].latents)
        if not shuffled:
            return known
        order = self.others(name)
        return known | {level + SHUFFLED: z[order] for level, z in known.items()}

    def others(self, name: SplitName) -> Tensor:
        """For each image of a split another one."""
        noise, n = self.stream("shuffle", name), len(self.splits[name])
        return torch.randperm(n, generator=noise, device=noise.device)

    def labels(self, name: SplitName) -> Tensor:
        """Classes of a split's images.

        Raises:
            Skip: The world has none.
        """
        found = self.splits[name].labels
        if found is None:
            raise Skip(f"{self.cell.dataset} has no labels")
        return found

    @cached_property
    def features(self) -> dict[SplitName, dict[str, Tensor]]:
        """Split -> token -> [n, d]."""
        return {
            name: self.encode(batch, self.stream("view", name))
            for name, batch in self.splits.items()
        }

    def patches(self, name: SplitName) -> Tensor:
        """Every patch token of a split [n, l, d]; not kept, for it is large.

        Raises:
            Skip: The method does not look at patches.
        """
        method, noise = self.method, self.stream("view", name)
        if not isinstance(method, ViTMethod):
            raise Skip(f"{self.cell.method} does not look at patches")
        return torch.cat(
            [
                method.patches_seen(chunk, self._keep(len(chunk), noise))
                for chunk in chunks(self.splits[name])
            ]
        )

    def encode(self, batch: Batch, noise: torch.Generator) -> dict[str, Tensor]:
        """Token -> [n, d], in chunks; masked by ``noise`` if the view is."""
        found = [
            self.method.features(chunk, self._keep(len(chunk), noise))
            for chunk in chunks(batch)
        ]
        return {token: torch.cat([f[token] for f in found]) for token in found[0]}

    def _keep(self, n: int, noise: torch.Generator) -> Tensor | None:
        """The visible patches, if the view is of some."""
        return self.masking(n, noise).ids_keep if self.view == "masked" else None

    def masking(self, n: int, noise: torch.Generator) -> Masking:
        """The method's masks.

        Raises:
            Skip: The method does not look at patches.
        """
        if not isinstance(self.method, ViTMethod):
            raise Skip(f"{self.cell.method} does not look at patches")
        return self.method.masking(n, noise)


def chunks(batch: Batch) -> Iterator[Batch]:
    """A batch in parts that fit into memory."""
    for start in range(0, len(batch), CHUNK):
        yield batch.rows(slice(start, start + CHUNK))
