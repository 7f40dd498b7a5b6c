"""The correlation of a chain, as the likelihood of masked pixels estimates it."""

import math
from typing import Any, ClassVar

import torch
from jaxtyping import Float, Float64, Int64
from torch import Tensor

from mae_bench.datasets import Batch, Dataset
from mae_bench.methods import Method
from mae_bench.oracles.masked_likelihood import chain, masks_of
from mae_bench.records.schema import Track

# φ among which the best is looked for, before a parabola through three of them.
GRID = torch.linspace(-0.6, 0.98, 159, dtype=torch.float64)
MOST_MASKS = 1000


class MaskedLikelihood(Method):
    """φ̂ = argmax Σ log p_φ(x_S | x_-S) over samples, under masks S of k pixels.

    The model is the Gaussian chain with Σ_ij = φ^{|i-j|}, of which φ alone is unknown.
    ``fits`` independent estimates are kept, each of as many samples. Those of two k are
    of the same samples, so that different k are compared on the same draws.

    Attributes:
        estimates: φ̂ of every fit ``[fits]``, float64.

    References:
        Li et al. 2024, arXiv 2407.21046: the k-masked conditional likelihood.
    """

    version: ClassVar[int] = 1
    track: ClassVar[Track] = "pixels"
    trains: ClassVar[bool] = False
    joins: ClassVar[tuple[str, ...]] = ()
    estimates: Tensor

    def __init__(
        self,
        dataset: Dataset,
        generator: torch.Generator,
        *,
        masked: int = 1,
        masks: str = "one",
        length: int = 9,
        samples: int = 200,
        fits: int = 20,
        **budget: Any,
    ) -> None:
        """Draw images and masks, and estimate.

        Args:
            dataset: The world that it learns from.
            generator: Draws images and masks.
            masked: k, in 1..length.
            masks: ``one``, drawn anew for each sample, or ``all``.
            length: Pixels of an image that are looked at, the first ones.
            samples: n of each fit, at least 1.
            fits: Number of estimates, at least 1.
            budget: See ``Method``; nothing of it is used.

        Raises:
            ValueError: A setting is outside its range.
        """
        super().__init__(dataset, generator, **budget)
        d = dataset.channels * dataset.image_size**2
        if not 2 <= length <= d:
            raise ValueError(f"length is {length}; give an integer in 2..{d}")
        if not 1 <= masked <= length:
            raise ValueError(f"masked is {masked}; give an integer in 1..{length}")
        if math.comb(length, masked) > MOST_MASKS:
            raise ValueError(
                f"masked is {masked}: of {length} pixels there are more than "
                f"{MOST_MASKS} such masks"
            )
        if masks not in ("one", "all"):
            raise ValueError(f"masks is {masks!r}; choose 'one' or 'all'")
        if samples < 1 or fits < 1:
            raise ValueError(f"{fits} fits of {samples} samples; choose at least 1")
        self.length, self.masked, self.masks = length, masked, masks
        self.samples = samples
        drawn = dataset.sample(fits * samples, generator).images.flatten(1)
        x = drawn[:, :length].double().view(fits, samples, length)
        number = math.comb(length, masked)
        which = torch.randint(number, (fits, samples), generator=generator)
        self.register_buffer("estimates", self._estimate(x, which))

    def _estimate(
        self, x: Float64[Tensor, "f n d"], which: Int64[Tensor, "f n"]
    ) -> Float64[Tensor, " f"]:
        """φ̂ of every fit, of samples whose masks are those of ``which``."""
        forms, constants = _log_likelihoods(self.length, self.masked)
        products = (x[..., :, None] * x[..., None, :]).flatten(2)  # [f n d²]
        if self.masks == "all":
            moments = products.mean(1)
            value = moments @ forms.mean(1).T + constants.mean(1)
        else:
            fits, number = len(x), forms.shape[1]
            rows = which + number * torch.arange(fits)[:, None]
            sums = products.new_zeros(fits * number, products.shape[2])
            sums.index_add_(0, rows.flatten(), products.flatten(0, 1))
            moments = sums.view(fits, -1) / x.shape[1]
            shares = rows.flatten().bincount(minlength=fits * number).view(fits, -1)
            value = moments @ forms.flatten(1).T
            value = value + shares.double() / x.shape[1] @ constants.T
        return top(value)

    def features(
        self, batch: Batch, ids_keep: Int64[Tensor, "n k"] | None = None
    ) -> dict[str, Float[Tensor, "n _"]]:
        """The last pixel of the chain as every fit predicts it [n, fits].

        Raises:
            ValueError: A masked view is asked for.
        """
        return {"mean": told(batch, ids_keep, self.length, self.estimates)}


def told(
    batch: Batch,
    ids_keep: Int64[Tensor, "n k"] | None,
    length: int,
    phi: Float64[Tensor, " fits"],
) -> Float[Tensor, "n fits"]:
    """The last pixel of a chain, as the one before tells it by each φ.

    Raises:
        ValueError: A masked view is asked for.
    """
    if ids_keep is not None:
        raise ValueError("its masks are of its own pixels; leave ids_keep out")
    before = batch.images.flatten(1)[:, length - 2, None]
    return before * phi.to(before)


def _log_likelihoods(
    length: int, masked: int
) -> tuple[Float64[Tensor, "p m dd"], Float64[Tensor, "p m"]]:
    """Of each φ and mask log p_φ(x_S | x_-S), as a quadratic form and a constant."""
    covariances = torch.stack([chain(length, phi)[0] for phi in GRID.tolist()])
    forms, constants = [], []
    for visible in masks_of(length, masked):
        form, constant = _log_density(covariances, torch.arange(length))
        seen, of_seen = _log_density(covariances, visible)
        forms.append((form - seen).flatten(1))
        constants.append(constant - of_seen)
    return torch.stack(forms, 1), torch.stack(constants, 1)


def _log_density(covariances: Tensor, subset: Tensor) -> tuple[Tensor, Tensor]:
    rows, columns = subset[:, None], subset
    part = covariances[:, rows, columns]
    form = torch.zeros_like(covariances)
    form[:, rows, columns] = -0.5 * torch.linalg.inv(part)
    return form, -0.5 * torch.linalg.slogdet(part).logabsdet


def top(value: Float64[Tensor, "f p"]) -> Float64[Tensor, " f"]:
    """Where a parabola through the best of the grid and its neighbours is best."""
    best = value.argmax(1).clamp(1, len(GRID) - 2)[:, None]
    low, top, high = (value.gather(1, best + step)[:, 0] for step in (-1, 0, 1))
    shift = 0.5 * (low - high) / (low - 2 * top + high)
    grid = GRID.to(value)
    return grid[best[:, 0]] + shift.clamp(-1, 1) * (grid[1] - grid[0])
