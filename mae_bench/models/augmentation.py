"""Random views of images, drawn for each image apart, on the images' device."""

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from jaxtyping import Float
from torch import Tensor

from mae_bench.models.on_host import on_host

Warp = Callable[[Float[Tensor, "n c h w"]], Float[Tensor, "n c h w"]]


@functools.cache
def _affine() -> Warp:
    # kornia takes seconds to import, and most methods have no use for it.
    from kornia.augmentation import RandomAffine

    warp: Warp = RandomAffine(
        degrees=10.0,
        translate=(0.0625, 0.0625),
        scale=(0.9, 1.1),
        shear=5.0,
        padding_mode="border",  # zero is no background in standardised images
        p=1.0,
    )
    return warp


@functools.cache
def _jitter() -> Warp:
    from kornia.augmentation import ColorJitter

    warp: Warp = ColorJitter(0.2, 0.2, 0.2, 0.05, p=1.0)
    return warp


@functools.cache
def _crop(side: int, least: float) -> Warp:
    from kornia.augmentation import (
        AugmentationSequential,
        RandomHorizontalFlip,
        RandomResizedCrop,
    )

    crop = RandomResizedCrop((side, side), (least, 1.0), cropping_mode="resample")
    warp: Warp = AugmentationSequential(crop, RandomHorizontalFlip(p=0.5))
    return warp


@functools.cache
def _colours() -> Warp:
    from kornia.augmentation import (
        AugmentationSequential,
        ColorJitter,
        RandomGrayscale,
    )

    jitter = ColorJitter(0.8, 0.8, 0.8, 0.2, p=0.8)
    warp: Warp = AugmentationSequential(jitter, RandomGrayscale(p=0.2))
    return warp


def crops(
    images: Float[Tensor, "n c h w"],
    generator: torch.Generator,
    least: float,
    *,
    colours: bool = False,
) -> Float[Tensor, "n c h w"]:
    """A view of each natural image: a part of it at full size, half of them flipped.

    Args:
        images: Of any scale.
        generator: Draws the views; on any device. See ``augment`` for what waits.
        least: Share of an image's area that a part has at least, in (0, 1].
        colours: Whether the colours of 3 channels are jittered and dropped too, as
            SimCLR's are.

    Raises:
        ValueError: There are no images, or no such share.

    References:
        Chen et al. 2020, arXiv 2002.05709, Appendix A; without its blur.
    """
    if not 0 < least <= 1:
        raise ValueError(f"a share of {least} of an image; choose in (0, 1]")
    with _drawing(images, generator):
        views = _crop(images.shape[-1], least)(images)
        coloured = colours and images.shape[1] == 3
        return _jittered(views, _colours()) if coloured else views


def augment(
    images: Float[Tensor, "n c h w"], generator: torch.Generator
) -> Float[Tensor, "n c h w"]:
    """A view of each image: turned, shifted, scaled and sheared a little.

    Images of 3 channels have their colours jittered too. Mild enough for digits of
    8 x 8 pixels: at most 10 degrees, half a pixel in eight, 10 % of the size, 5 degrees
    of shear, and no flip, which would turn a 2 into no digit; SimCLR learned less
    from stronger ones. Natural images want crops (Chen et al. 2020, Fig. 5).

    kornia draws on the CPU, and copies what it drew to the images' device: on a GPU
    the host waits for these copies, and for nothing else.

    Args:
        images: Of any scale.
        generator: Draws the views; on any device.

    Returns:
        Images whose values stay between each image's least and greatest one.

    Raises:
        ValueError: There are no images.
    """
    with _drawing(images, generator):
        views = _affine()(images)
        return _jittered(views, _jitter()) if images.shape[1] == 3 else views


@contextmanager
def _drawing(images: Tensor, generator: torch.Generator) -> Iterator[None]:
    """Have kornia, which draws from the CPU's global stream alone, draw by another."""
    if not len(images):
        raise ValueError("0 images to augment; give at least 1")
    draw = torch.randint(2**62, (1,), generator=on_host(generator))
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.default_generator.manual_seed(int(draw))
        yield


def _jittered(
    images: Float[Tensor, "n 3 h w"], jitter: Warp
) -> Float[Tensor, "n 3 h w"]:
    # Jitter is defined on [0, 1]: each image is mapped there and back.
    low = images.amin((1, 2, 3), keepdim=True)
    span = (images.amax((1, 2, 3), keepdim=True) - low).clamp_min(1e-12)
    return jitter((images - low) / span) * span + low
