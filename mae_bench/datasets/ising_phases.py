"""Magnets below their critical temperature that point up more often than down.

Above the critical coupling most spins of an image agree, so there are two phases, which
hardly meet. Here an image is of the one of positive magnetisation with probability w,
and otherwise of the other: p = w p+ + (1 - w) p-, with p± the law of ``ising`` given
the sign of the magnetisation. Sixteen spins of 64 tell the phase nearly always.

References:
    Cai & Shi 2026, arXiv 2608.01383: laws of two separated modes.
"""

from typing import Any, ClassVar

import torch

from mae_bench.datasets import Batch, SplitName
from mae_bench.datasets.ising import Ising


class IsingPhases(Ising):
    """``Ising`` whose class, the sign of the magnetisation, has a weight of its own."""

    version: ClassVar[int] = 1

    def __init__(
        self,
        generator: torch.Generator,
        *,
        coupling: float = 0.5,
        weight: float = 0.7,
        **ising: Any,
    ) -> None:
        """Run the chains that training images are copied from.

        Args:
            generator: Draws them.
            coupling: J >= 0; there are two phases above 0.4407.
            weight: w, probability of positive magnetisation, in (0, 1).
            ising: See ``Ising``.

        Raises:
            ValueError: If a setting is outside its range.
        """
        super().__init__(generator, coupling=coupling, **ising)
        if not 0 < weight < 1:
            raise ValueError(f"weight is {weight}; choose in (0, 1)")
        self.weight = weight

    def draw(self, n: int, generator: torch.Generator) -> Batch:
        """``n`` moved copies of the chains that the constructor ran."""
        return self._weighted(super().draw(n, generator), generator)

    def split(self, name: SplitName, n: int, generator: torch.Generator) -> Batch:
        """``n`` images of fresh chains."""
        return self._weighted(super().split(name, n, generator), generator)

    def magnetisation(self) -> float:
        """Mean over the chains of how far the spins of an image agree, in [0, 1]."""
        return self._bank.float().mean((1, 2)).abs().mean().item()

    def _weighted(self, batch: Batch, generator: torch.Generator) -> Batch:
        """Images turned over where they are not of the phase that is drawn."""
        assert batch.labels is not None
        drawn = torch.rand(len(batch), generator=generator, device=generator.device)
        up = (drawn < self.weight).long()
        sign = (1 - 2 * (up ^ batch.labels)).float()
        images = batch.images * sign[:, None, None, None]
        return Batch(images, {"level_0": batch.latents["level_0"] * sign[:, None]}, up)
