"""Gaussian fields with nothing but correlations between pixels, and surrogates.

Every pixel has mean 0 and variance 1; channels are independent. The spectrum is

- ``exponential``: Cov(x_i, x_j) = exp(-d / ξ), d the Euclidean distance in pixels;
- ``power``: on the torus, power 1 / max(f, 1/w)^exponent at spatial frequency f in
  cycles a pixel, so that the mean of an image has the power of a single wave across it;
- ``whitened``: D^{-1/2} C D^{-1/2} of the exponential C with its blocks D on patches.
  A patch is white within and correlated with others, so V = (1-m) C + m D commutes with
  C, and a linear MAE learns the PCA subspace at every mask ratio: a null test.

:func:`surrogate` takes from any images all but their second moments.

References:
    Bisulco et al. 2025, arXiv 2508.15404: linear MAE and spatial correlations.
    Theiler et al. 1992, Physica D 58, 77: phase-randomised surrogates.
"""

import math
from collections.abc import Mapping
from typing import Any, ClassVar

import torch
from jaxtyping import Float, Float64
from torch import Tensor

from mae_bench.datasets import Batch, Generated, orthant

_SPECTRA = ("exponential", "power", "whitened")


class GaussianField(Generated):
    """Images of a field that no cause stands behind; what is probed are its waves.

    ``level_0`` holds three linear read-outs, scaled to variance 1: the image's mean and
    its longest cosines along a row and along a column. They stand for the three leading
    principal coordinates, which a square leaves undetermined, its rows and columns
    being alike. By symmetry they are independent. The class is the orthant of the
    first two; the four classes are equally likely.

    The constructor takes O(w⁶ + c² w⁴) time and O(c² w⁴) memory, for c channels of
    w x w pixels; then n images take O(n c w⁴) time and O(n c w²) memory.
    """

    version: ClassVar[int] = 1

    def __init__(
        self,
        generator: torch.Generator,
        *,
        image_size: int = 8,
        spectrum: str = "exponential",
        length: float = 2.0,
        exponent: float = 2.0,
        patch_size: int = 2,
        channels: int = 1,
        **settings: Any,
    ) -> None:
        """Compute the covariance.

        Args:
            generator: Draws the training images, if they shall be so many.
            image_size: h = w, in 2..64 pixels; the covariance has (c w²)² entries.
            spectrum: ``exponential``, ``power`` or ``whitened``.
            length: ξ > 0 of ``exponential`` and ``whitened``, in pixels.
            exponent: Of ``power``, at least 0; 2 is that of natural images.
            patch_size: Side of the white patches of ``whitened``, in pixels.
            channels: c.
            settings: Of ``Generated``.

        Raises:
            ValueError: If a setting is outside its range.
        """
        super().__init__(generator, **settings)
        if not 2 <= image_size <= 64:
            raise ValueError(f"image_size is {image_size}; choose in 2..64")
        if channels < 1:
            raise ValueError(f"channels is {channels}; choose at least 1")
        self.channels = channels
        self.image_size = image_size
        self.levels = ("level_0",)
        self.num_classes = 4

        if spectrum == "exponential":
            C = exponential(image_size, length)
        elif spectrum == "power":
            C = power(image_size, exponent)
        elif spectrum == "whitened":
            C = whiten_patches(exponential(image_size, length), patch_size)
        else:
            raise ValueError(f"spectrum is {spectrum!r}; choose one of {_SPECTRA}")
        waves = longest_waves(image_size)
        readout = waves / (waves @ C * waves).sum(1, keepdim=True).sqrt()
        readout = readout.repeat(1, channels) / math.sqrt(channels)
        eye = torch.eye(channels, dtype=torch.float64)
        self._covariance = torch.kron(eye, C)
        self._cross_covariance = readout @ self._covariance
        factor = torch.linalg.cholesky(C)
        self._sampling = [m.float() for m in (factor, readout, self._cross_covariance)]

    def draw(self, n: int, generator: torch.Generator) -> Batch:
        """``n`` fresh images."""
        x, z, _ = self._draw(n, generator)
        return self._batch(x, z)

    def redraw(self, batch: Batch, generator: torch.Generator) -> Batch:
        """The same three waves; all else anew, from its conditional distribution.

        Raises:
            ValueError: The images are of another world.
        """
        z = batch.latents.get("level_0")
        if z is None or batch.images[0].numel() != len(self._covariance):
            raise ValueError(
                f"images of {tuple(batch.images.shape[1:])} with latents "
                f"{tuple(batch.latents)} are not of this field; give its own batch"
            )
        x, other, cross = self._draw(len(batch), generator)
        # Matheron's rule: E[x | z] = Cov(x, z) z, since Var(z) = I.
        return self._batch(x + (z - other) @ cross, z)

    def covariance(self) -> Float64[Tensor, "d d"]:
        """Cov(x)."""
        return self._covariance

    def cross_covariance(self) -> Mapping[str, Float64[Tensor, "k d"]]:
        """Cov(z, x) of the three waves."""
        return {"level_0": self._cross_covariance}

    def _draw(
        self, n: int, generator: torch.Generator
    ) -> tuple[Float[Tensor, "n d"], Float[Tensor, "n k"], Float[Tensor, "k d"]]:
        """Images L ε, their waves z, and Cov(z, x), on one device."""
        device = generator.device
        # The world moves to the generator's device, and stays there.
        self._sampling = [matrix.to(device) for matrix in self._sampling]
        factor, readout, cross = self._sampling
        shape = (n, self.channels, len(factor))
        x = torch.randn(shape, generator=generator, device=device) @ factor.T
        x = x.flatten(1)
        return x, x @ readout.T, cross

    def _batch(self, x: Tensor, z: Tensor) -> Batch:
        side = self.image_size
        images = x.view(len(x), self.channels, side, side)
        return Batch(images, {"level_0": z}, orthant(z[:, :2]))


def exponential(image_size: int, length: float) -> Float64[Tensor, "d d"]:
    """exp(-d / ξ) of one channel's pixels.

    Raises:
        ValueError: A length that is not a number above 0.

    >>> exponential(2, 1.0)[0].log().round(decimals=9).tolist()
    [0.0, -1.0, -1.0, -1.414213562]
    """
    if not 0 < length < math.inf:
        raise ValueError(f"length is {length}; choose a number above 0")
    axis = torch.arange(image_size, dtype=torch.float64)
    place = torch.cartesian_prod(axis, axis)
    d = (place[:, None] - place).square().sum(2).sqrt()
    return torch.exp(-d / length)


def power(image_size: int, exponent: float) -> Float64[Tensor, "d d"]:
    """The covariance on the torus whose spectrum is 1 / max(f, 1/w)^exponent.

    Raises:
        ValueError: An exponent that is not a number of at least 0.
    """
    if not 0 <= exponent < math.inf:
        raise ValueError(f"exponent is {exponent}; choose a number of at least 0")
    w = image_size
    f = torch.fft.fftfreq(w, dtype=torch.float64)
    spectrum = torch.hypot(f[:, None], f).clamp(min=1 / w) ** -exponent
    k = torch.fft.ifft2(spectrum / spectrum.mean()).real
    shift = (torch.arange(w)[:, None] - torch.arange(w)) % w
    C: Tensor = k[shift[:, None, :, None], shift[None, :, None, :]]
    return C.reshape(w * w, w * w)


def whiten_patches(
    covariance: Float64[Tensor, "d d"], patch_size: int
) -> Float64[Tensor, "d d"]:
    """D^{-1/2} C D^{-1/2}, D the blocks of C on the patches of one channel.

    Raises:
        ValueError: ``patch_size`` does not divide the image's side.
    """
    side = math.isqrt(len(covariance))
    if patch_size < 1 or side % patch_size:
        raise ValueError(f"patch_size is {patch_size}; choose a divisor of {side}")
    row = torch.arange(side) // patch_size
    patch = (row[:, None] * side + row).flatten()
    values, vectors = torch.linalg.eigh(covariance * (patch[:, None] == patch))
    root: Tensor = vectors / values.sqrt() @ vectors.T
    return root @ covariance @ root


def longest_waves(image_size: int) -> Float64[Tensor, "3 d"]:
    """1, cos(π (j + 1/2) / w) of column j, and the same of row i, on a square."""
    centre = torch.arange(image_size, dtype=torch.float64) + 0.5
    wave = torch.cos(math.pi * centre / image_size)
    flat = torch.ones_like(wave)
    return torch.stack(
        [
            torch.outer(*pair).flatten()
            for pair in ((flat, flat), (flat, wave), (wave, flat))
        ]
    )


def surrogate(
    images: Float[Tensor, "n c h w"],
    generator: torch.Generator,
    *,
    kind: str = "gaussian",
) -> Float[Tensor, "n c h w"]:
    """Images with the second moments of ``images``, and nothing of a higher order.

    For n images of d values ``gaussian`` takes O(n² d) time and n² + n d numbers of
    memory, ``phase`` O(n d log d) time and O(n d) memory.

    Args:
        images: At least 2.
        generator: Draws them; on the images' device.
        kind: ``gaussian`` draws from N(mean, covariance) of the images. ``phase`` gives
            each image's waves random phases, the same in all channels: its mean and
            power spectrum stay, its edges go.

    Raises:
        ValueError: An unknown kind, or fewer than 2 images.
    """
    n, _, h, w = images.shape
    if n < 2:
        raise ValueError(f"{n} images have no covariance; give at least 2")
    device = generator.device
    if kind == "gaussian":
        mean = images.mean(0)
        # Cov(Σ_i ε_i (x_i - mean) / sqrt(n-1)) is the images' covariance.
        mix = torch.randn(n, n, generator=generator, device=device, dtype=images.dtype)
        drawn = mix @ (images - mean).flatten(1) / math.sqrt(n - 1)
        return mean + drawn.view_as(images)
    if kind == "phase":
        shape = (n, 1, h, w)
        noise = torch.randn(
            shape, generator=generator, device=device, dtype=images.dtype
        )
        turn = torch.fft.rfft2(noise).sgn()  # the phases of noise suit a real image
        turn[..., 0, 0] = 1
        scrambled: Tensor = torch.fft.irfft2(torch.fft.rfft2(images) * turn, s=(h, w))
        return scrambled
    raise ValueError(f"kind is {kind!r}; choose 'gaussian' or 'phase'")
