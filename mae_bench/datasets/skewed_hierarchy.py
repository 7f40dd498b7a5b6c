"""The random hierarchy with a class that is more frequent than the others."""

from typing import Any, ClassVar

import torch

from mae_bench.datasets import Batch
from mae_bench.datasets.random_hierarchy import RandomHierarchy


class SkewedHierarchy(RandomHierarchy):
    """``RandomHierarchy`` whose first class has the weight w, the others as much each.

    By default there is one production a symbol, so that 16 of the 64 leaves tell
    whether the root is the first symbol, and a single one hardly does.

    References:
        Cai & Shi 2026, arXiv 2608.01383: laws of two modes, of unequal weights.
    """

    version: ClassVar[int] = 1
    joins: ClassVar[tuple[str, ...]] = ()

    def __init__(
        self,
        generator: torch.Generator,
        *,
        weight: float = 0.7,
        rules: str = "random:1,random:1,random:1",
        noise: float = 0.5,
        **hierarchy: Any,
    ) -> None:
        """Draw the rules and the textures.

        Args:
            generator: Draws them.
            weight: w, probability of the first symbol at the root, in (0, 1).
            rules: See ``RandomHierarchy``.
            noise: σ > 0, of the pixels.
            hierarchy: See ``RandomHierarchy``.

        Raises:
            ValueError: If a setting is outside its range, or no rules are understood.
        """
        super().__init__(generator, rules=rules, noise=noise, **hierarchy)
        if not 0 < weight < 1:
            raise ValueError(f"weight is {weight}; choose in (0, 1)")
        self.weight = weight
        self.root_law = torch.full((self.symbols,), (1 - weight) / (self.symbols - 1))
        self.root_law[0] = weight

    def draw(self, n: int, generator: torch.Generator) -> Batch:
        """``n`` fresh images; the latents are one-hot symbols of all nodes, 0 or 1."""
        device = generator.device
        other = torch.randint(1, self.symbols, (n,), generator=generator, device=device)
        drawn = torch.rand(n, generator=generator, device=device)
        return self._spell(other * (drawn >= self.weight), generator)
