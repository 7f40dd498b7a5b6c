"""Random views of images, drawn for each image apart, on the images' device."""

import functools
from collections.abc import Callable

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
    if not len(images):
        raise ValueError("0 images to augment; give at least 1")
    draw = torch.randint(2**62, (1,), generator=on_host(generator))
    # kornia draws its parameters from the CPU's global stream, and only from it.
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.default_generator.manual_seed(int(draw))
        views = _affine()(images)
        return _jittered(views) if images.shape[1] == 3 else views


def _jittered(images: Float[Tensor, "n 3 h w"]) -> Float[Tensor, "n 3 h w"]:
    # Jitter is defined on [0, 1]: each image is mapped there and back.
    low = images.amin((1, 2, 3), keepdim=True)
    span = (images.amax((1, 2, 3), keepdim=True) - low).clamp_min(1e-12)
    return _jitter()((images - low) / span) * span + low
