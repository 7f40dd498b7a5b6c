"""The floor without a network: pixels, and their principal components."""

from typing import Any, ClassVar

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from mae_bench.datasets import Batch, Dataset
from mae_bench.methods import Method
from mae_bench.records.schema import Track

N_FIT = 2000


class Pixels(Method):
    """Pixels as features.

    Tokens: ``mean``, the raw pixels, under the name that leaderboards read for every
    method (nothing is averaged here); and ``pca``, their leading principal components,
    which have a width comparable to an encoder's.
    """

    version: ClassVar[int] = 1
    track: ClassVar[Track] = "reference"
    trains: ClassVar[bool] = False
    centre: Tensor
    components: Tensor

    def __init__(
        self,
        dataset: Dataset,
        generator: torch.Generator,
        *,
        components: int = 32,
        **budget: Any,
    ) -> None:
        """Fit the components on 2,000 training images.

        Args:
            dataset: The world that it looks at.
            generator: Draws those images.
            components: Width of ``pca``, at least 1; all of them where the image has
                fewer pixels.
            budget: See ``Method``; nothing of it is used.

        Raises:
            ValueError: Fewer than 1 component.
        """
        if components < 1:
            raise ValueError(f"components {components} must be at least 1")
        super().__init__(dataset, generator, **budget)
        x = dataset.sample(N_FIT, generator).images.flatten(1).double()
        centre = x.mean(0)
        axes = torch.linalg.svd(x - centre, full_matrices=False).Vh[:components]
        self.register_buffer("centre", centre.float())
        self.register_buffer("components", axes.float())

    def features(
        self, batch: Batch, ids_keep: Int64[Tensor, "n k"] | None = None
    ) -> dict[str, Float[Tensor, "n _"]]:
        """Raw pixels [n, c*h*w] and components [n, k].

        Raises:
            ValueError: A masked view is asked for.
        """
        if ids_keep is not None:
            raise ValueError(
                "pixels have no masked view, for want of an encoder of visible "
                "patches; leave ids_keep out"
            )
        x = batch.images.flatten(1)
        return {"mean": x, "pca": (x - self.centre) @ self.components.T}
