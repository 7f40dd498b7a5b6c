"""Every pixel regressed on all others, beside the principal components."""

from typing import Any, ClassVar

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from mae_bench.datasets import Batch, Dataset
from mae_bench.methods import Method
from mae_bench.oracles.self_regression import leading
from mae_bench.records.schema import Track


class SelfRegression(Method):
    """Leading directions of A = I - diag(Θ)⁻¹ Θ, Θ = (S + λI)⁻¹, S of n samples.

    Attributes:
        values: Largest eigenvalue of A of every fit ``[fits]``, float64.
        directions: Its right eigenvector ``[fits, d]``, of length 1.
        components: The principal component of S ``[fits, d]``.
        scaled: That of the correlations, in pixels' own units ``[fits, d]``.

    References:
        Wortsman Zurich et al. 2026, arXiv 2601.23208: ridge regression of each
        coordinate on the rest.
    """

    version: ClassVar[int] = 1
    track: ClassVar[Track] = "pixels"
    trains: ClassVar[bool] = False
    joins: ClassVar[tuple[str, ...]] = ()
    values: Tensor
    directions: Tensor
    components: Tensor
    scaled: Tensor

    def __init__(
        self,
        dataset: Dataset,
        generator: torch.Generator,
        *,
        samples: int = 200,
        ridge: float = 0.1,
        fits: int = 2,
        **budget: Any,
    ) -> None:
        """Draw images, and invert.

        Args:
            dataset: The world that it learns from.
            generator: Draws images.
            samples: n of each fit, at least 2.
            ridge: λ > 0.
            fits: Number of matrices, at least 1.
            budget: See ``Method``; nothing of it is used.

        Raises:
            ValueError: A setting is outside its range.
        """
        super().__init__(dataset, generator, **budget)
        if samples < 2 or fits < 1:
            raise ValueError(f"{fits} fits of {samples} samples; give 1 of 2 at least")
        if not ridge > 0:
            raise ValueError(f"ridge is {ridge}; choose above 0")
        self.samples, self.ridge = samples, ridge
        found = [self._fit(generator) for _ in range(fits)]
        names = ("values", "directions", "components", "scaled")
        for name, tensors in zip(names, zip(*found, strict=True), strict=True):
            self.register_buffer(name, torch.stack(tensors))

    def _fit(self, generator: torch.Generator) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        images = self.dataset.sample(self.samples, generator).images
        x = images.flatten(1).double()
        covariance = x.T @ x / len(x)
        value, direction = leading(covariance, self.ridge)
        component = torch.linalg.eigh(covariance).eigenvectors[:, -1]
        # A pixel that never varies has no correlation.
        deviation = covariance.diagonal().sqrt().clamp_min(1e-12)
        correlation = covariance / deviation[:, None] / deviation
        scaled = deviation * torch.linalg.eigh(correlation).eigenvectors[:, -1]
        return (
            torch.tensor(value).double(),
            direction,
            component,
            scaled / scaled.norm(),
        )

    def features(
        self, batch: Batch, ids_keep: Int64[Tensor, "n k"] | None = None
    ) -> dict[str, Float[Tensor, "n _"]]:
        """Each image along the direction of every fit [n, fits].

        Raises:
            ValueError: A masked view is asked for.
        """
        if ids_keep is not None:
            raise ValueError("it masks pixels one by one; leave ids_keep out")
        x = batch.images.flatten(1)
        return {"mean": x @ self.directions.to(x).T}
