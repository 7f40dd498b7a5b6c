"""Noise of a colour: white noise whose spectrum is cut, so that masks have a scale."""

import math
from collections.abc import Mapping
from types import MappingProxyType

import torch
from torch import Tensor

# Widths of two Gaussian blurs, in units of the mask: what passes the first and not the
# second. A blur of no width passes all, and one without end the mean alone.
COLOURS: Mapping[str, tuple[float, float]] = MappingProxyType(
    {"red": (1.0, math.inf), "blue": (0.0, 1.0), "green": (0.5, 1.0)}
)


def passed(colour: str, side: int, device: torch.device | str = "cpu") -> Tensor:
    """Share of each frequency that passes, ``[side, side]``, as ``torch.fft`` orders.

    The transform of a blur of width s is exp(-2 π² s² f²). The mean never passes: it
    moves all units alike, and a mask does not see it.

    >>> float(passed("red", 8)[0, 1]) > float(passed("red", 8)[0, 4])
    True
    >>> float(passed("blue", 8)[0, 1]) < float(passed("blue", 8)[0, 4])
    True
    """
    line = torch.fft.fftfreq(side, device=device)
    square = line[:, None].square() + line.square()
    narrow, wide = COLOURS[colour]
    gain = torch.exp(-2 * math.pi**2 * narrow**2 * square)
    if math.isfinite(wide):
        gain = gain - torch.exp(-2 * math.pi**2 * wide**2 * square)
    gain[0, 0] = 0.0
    return gain


def coloured(colour: str, n: int, side: int, generator: torch.Generator) -> Tensor:
    """Gaussian noise ``[n, side²]`` on a torus, of one of ``COLOURS``.

    Red is smooth: a mask of its lowest values has few large parts. Blue has none that
    are large, and so hardly two neighbours more alike than need be. Green has parts of
    about one size, its wavelength 3.3 units.

    Args:
        colour: Of its spectrum.
        n: Images.
        side: Units a side.
        generator: Its device is the noise's.

    References:
        Hinojosa, Liu & Ghanem 2024, arXiv 2407.13036 (ColorMAE), where masks are the
        lowest values of filtered noise; the widths in units are this project's choice.
    """
    shape = (n, side, side)
    white = torch.randn(shape, generator=generator, device=generator.device)
    gain = passed(colour, side, generator.device)
    noise: Tensor = torch.fft.ifft2(torch.fft.fft2(white) * gain).real
    return noise.flatten(1)
