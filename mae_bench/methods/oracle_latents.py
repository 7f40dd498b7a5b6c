"""The end of the scale: features that are the causes themselves."""

from typing import Any, ClassVar

import torch
from jaxtyping import Float, Int64
from torch import Tensor
from torch.nn import functional as F

from mae_bench.datasets import Batch, Dataset
from mae_bench.methods import Method
from mae_bench.records.schema import Track


class OracleLatents(Method):
    """All levels' latents side by side; one-hot labels in a world that has none.

    No encoder reaches it, since images do not tell their latents exactly: it shows
    what the instruments say of perfect features.
    """

    version: ClassVar[int] = 1
    track: ClassVar[Track] = "reference"
    trains: ClassVar[bool] = False

    def __init__(
        self, dataset: Dataset, generator: torch.Generator, **budget: Any
    ) -> None:
        """Check that the world tells.

        Args:
            dataset: The world.
            generator: Unused: there is nothing to draw.
            budget: See ``Method``; nothing of it is used.

        Raises:
            ValueError: The world has neither latents nor labels.
        """
        if not dataset.levels and dataset.num_classes is None:
            name = type(dataset).__name__
            raise ValueError(f"{name} has neither latents nor labels to be read")
        super().__init__(dataset, generator, **budget)

    def features(
        self, batch: Batch, ids_keep: Int64[Tensor, "n k"] | None = None
    ) -> dict[str, Float[Tensor, "n _"]]:
        """The causes [n, k], the same whichever patches are visible."""
        del ids_keep
        if self.dataset.levels:
            levels = [batch.latents[level] for level in self.dataset.levels]
            return {"mean": torch.cat(levels, 1)}
        assert batch.labels is not None
        assert self.dataset.num_classes is not None
        return {"mean": F.one_hot(batch.labels, self.dataset.num_classes).float()}
