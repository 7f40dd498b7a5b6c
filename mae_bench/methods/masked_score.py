"""A chain's correlation, as masked scores of one size or of all of them choose it."""

from typing import Any, ClassVar

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from mae_bench.datasets import Batch, Dataset
from mae_bench.methods import Method
from mae_bench.methods.masked_likelihood import GRID, told, top
from mae_bench.oracles.cumulative_score import mean_log_likelihoods, scores
from mae_bench.oracles.masked_likelihood import chain
from mae_bench.records.schema import Track

MOST_PIXELS = 9


class MaskedScore(Method):
    """φ̂ = argmax of S(·; M) at one M, or of Σ_M S(·; M), over all masks of n images.

    The model is the chain Σ_ij = φ^{|i-j|}, which the images need not be.

    Attributes:
        curve: Mean log score of every φ of ``GRID``, float64.

    References:
        Moreno-Muñoz, Recasens & Hauberg 2023, arXiv 2306.00520: a fixed mask ratio is
        one slice of the likelihood, random ratios are all of it.
    """

    version: ClassVar[int] = 1
    track: ClassVar[Track] = "pixels"
    trains: ClassVar[bool] = False
    joins: ClassVar[tuple[str, ...]] = ()
    curve: Tensor

    def __init__(
        self,
        dataset: Dataset,
        generator: torch.Generator,
        *,
        masked: int = 0,
        samples: int = 200,
        **budget: Any,
    ) -> None:
        """Draw images, and choose.

        Args:
            dataset: The world that it learns from, of zero mean; its first nine pixels
                are looked at.
            generator: Draws images.
            masked: M, from 1 to one less than the pixels; 0 for all sizes together.
                With all masked no correlation is seen.
            samples: n, at least 1.
            budget: See ``Method``; nothing of it is used.

        Raises:
            ValueError: A setting is outside its range.
        """
        super().__init__(dataset, generator, **budget)
        pixels = min(MOST_PIXELS, dataset.channels * dataset.image_size**2)
        if not 0 <= masked < pixels:
            raise ValueError(f"masked is {masked}; give an integer in 0..{pixels - 1}")
        if samples < 1:
            raise ValueError(f"samples is {samples}; give at least 1")
        self.masked, self.samples, self.pixels = masked, samples, pixels
        x = dataset.sample(samples, generator).images.flatten(1)[:, :pixels].double()
        models = torch.stack([chain(pixels, phi)[0] for phi in GRID.tolist()])
        likelihoods = mean_log_likelihoods(models, x.T @ x / samples)
        sizes = scores(likelihoods)
        wanted = sizes[:, masked - 1] if masked else sizes.sum(1)
        self.register_buffer("curve", wanted)

    @property
    def phi(self) -> float:
        """φ̂."""
        return top(self.curve[None]).item()

    def features(
        self, batch: Batch, ids_keep: Int64[Tensor, "n k"] | None = None
    ) -> dict[str, Float[Tensor, "n _"]]:
        """The last pixel that it looks at, as the one before tells it [n, 1].

        Raises:
            ValueError: A masked view is asked for.
        """
        return {"mean": told(batch, ids_keep, self.pixels, top(self.curve[None]))}
