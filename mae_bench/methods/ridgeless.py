"""Ridgeless regression of the last pixel on the others, zeroed at random."""

from typing import Any, ClassVar

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from mae_bench.datasets import Batch, Dataset
from mae_bench.methods import Method
from mae_bench.records.schema import Track


class Ridgeless(Method):
    """β̂ = X̃⁺ y: the shortest of the least-squares solutions on masked covariates.

    Each covariate of each sample is zeroed with probability p, apart from all others;
    the target never is. Nothing is rescaled, and there is no intercept. The masks of
    two p are nested, and the samples are the same, so that methods with different p
    are compared on the same draws.

    ``fits`` independent regressions are kept, for the risk is an average over them.

    Attributes:
        coefficients: β̂ of every fit ``[fits, d - 1]``, float64.

    References:
        Dong, Wang & Kluger 2025, arXiv 2509.21650. Reading taken: masks act on the
        training covariates alone.
    """

    version: ClassVar[int] = 1
    track: ClassVar[Track] = "pixels"
    trains: ClassVar[bool] = False
    joins: ClassVar[tuple[str, ...]] = ()
    coefficients: Tensor

    def __init__(
        self,
        dataset: Dataset,
        generator: torch.Generator,
        *,
        mask_ratio: float = 0.3,
        samples: int = 100,
        fits: int = 20,
        **budget: Any,
    ) -> None:
        """Draw images and masks, and solve.

        Args:
            dataset: The world that it learns from.
            generator: Draws images and masks.
            mask_ratio: p, in [0, 1).
            samples: n of each fit, at least 1.
            fits: Number of regressions, at least 1.
            budget: See ``Method``; nothing of it is used.

        Raises:
            ValueError: A setting is outside its range.
        """
        super().__init__(dataset, generator, **budget)
        if not 0 <= mask_ratio < 1:
            raise ValueError(f"mask_ratio is {mask_ratio}; choose in [0, 1)")
        if samples < 1 or fits < 1:
            raise ValueError(f"{fits} fits of {samples} samples; choose at least 1")
        self.mask_ratio = mask_ratio
        self.samples = samples
        found = [self._fit(generator) for _ in range(fits)]
        self.register_buffer("coefficients", torch.stack(found))

    def _fit(self, generator: torch.Generator) -> Float[Tensor, " d"]:
        pixels = self.dataset.sample(self.samples, generator).images.flatten(1).double()
        x, y = pixels[:, :-1], pixels[:, -1]
        kept = torch.rand(x.shape, generator=generator) >= self.mask_ratio
        # Of torch's drivers gelsy is wrong at deficient rank; gelsd has the least norm.
        solved = torch.linalg.lstsq(x * kept, y[:, None], driver="gelsd")
        beta: Tensor = solved.solution[:, 0]
        return beta

    def features(
        self, batch: Batch, ids_keep: Int64[Tensor, "n k"] | None = None
    ) -> dict[str, Float[Tensor, "n _"]]:
        """The last pixel as every fit predicts it from the others [n, fits].

        Raises:
            ValueError: A masked view is asked for.
        """
        if ids_keep is not None:
            raise ValueError("the risk is that of whole images; leave ids_keep out")
        x = batch.images.flatten(1)[:, :-1]
        return {"mean": x @ self.coefficients.to(x).T}
