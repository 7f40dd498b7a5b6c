"""Views differ within a batch, follow their generator, and stay in range."""

import subprocess
import sys

import pytest
import torch
from torch import Tensor

from mae_bench.models.augmentation import augment, crops


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def images(n: int = 16, channels: int = 1, size: int = 8) -> Tensor:
    return torch.randn(n, channels, size, size, generator=rng(9))


@pytest.mark.parametrize("channels", [1, 3])
def test_equal_images_get_different_views(channels: int) -> None:
    one = images(1, channels)
    views = augment(one.expand(32, -1, -1, -1), rng()).flatten(1)
    gaps = torch.cdist(views, views)[~torch.eye(32, dtype=torch.bool)]
    assert gaps.min() > 1e-2


@pytest.mark.parametrize("channels", [1, 3])
def test_views_follow_the_generator(channels: int) -> None:
    x = images(channels=channels)
    first = augment(x, rng(1))
    torch.manual_seed(5)
    assert torch.equal(first, augment(x, rng(1)))
    assert not torch.allclose(first, augment(x, rng(2)))


def test_one_generator_gives_a_new_view_each_time() -> None:
    x, stream = images(), rng()
    assert not torch.allclose(augment(x, stream), augment(x, stream))


def test_the_global_stream_is_left_alone() -> None:
    before = torch.get_rng_state()
    augment(images(channels=3), rng())
    assert torch.equal(before, torch.get_rng_state())


def test_the_images_are_left_alone() -> None:
    x = images(channels=3)
    kept = x.clone()
    augment(x, rng())
    assert torch.equal(x, kept)


@pytest.mark.parametrize("channels", [1, 2, 3])
@pytest.mark.parametrize("size", [4, 8, 32])
def test_shape_and_range_of_each_image_are_kept(channels: int, size: int) -> None:
    x = images(24, channels, size) * 3 - 1
    views = augment(x, rng())
    assert views.shape == x.shape
    assert (views.amin((1, 2, 3)) >= x.amin((1, 2, 3)) - 1e-5).all()
    assert (views.amax((1, 2, 3)) <= x.amax((1, 2, 3)) + 1e-5).all()


@pytest.mark.parametrize("channels", [1, 3])
def test_a_blank_image_stays_blank(channels: int) -> None:
    blank = torch.full((4, channels, 8, 8), -0.7)
    torch.testing.assert_close(augment(blank, rng()), blank)


def test_colours_move_only_in_images_of_three_channels() -> None:
    # A flat patch beside a flat patch keeps its two values under a warp alone.
    halves = torch.zeros(8, 3, 8, 8)
    halves[:, 0, :, 4:], halves[:, 1, :, :4] = 1.0, 0.5
    corner = augment(halves, rng())[:, :, 0, 0]
    assert (corner - torch.tensor([0.0, 0.5, 0.0])).abs().amax(1).min() > 1e-3
    plain = augment(halves[:, :2], rng())[:, :, 0, 0]
    torch.testing.assert_close(plain, torch.tensor([0.0, 0.5]).expand(8, 2))


def test_a_view_stays_close_to_its_own_image() -> None:
    ramp = torch.linspace(-1, 1, 8)
    smooth = torch.stack([ramp.expand(8, 8), ramp.expand(8, 8).T, -ramp.expand(8, 8)])
    views = augment(smooth[:, None].repeat(20, 1, 1, 1), rng()).flatten(1)
    nearest = torch.cdist(views, smooth.flatten(1)).argmin(1)
    assert torch.equal(nearest, torch.arange(3).repeat(20))


def test_no_images_are_an_error() -> None:
    with pytest.raises(ValueError, match="0 images"):
        augment(torch.zeros(0, 1, 8, 8), rng())


def test_importing_it_does_not_import_kornia() -> None:
    code = (
        "import sys, mae_bench.models.augmentation; sys.exit('kornia' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_crop_is_a_part_of_its_image_at_full_size_or_its_mirror() -> None:
    ramp = torch.linspace(0, 1, 16).expand(40, 1, 16, 16)
    views = crops(ramp, torch.Generator().manual_seed(0), 0.2)
    assert views.shape == ramp.shape
    low, high = views.amin((1, 2, 3)), views.amax((1, 2, 3))
    assert (low >= -1e-5).all()
    assert (high <= 1 + 1e-5).all()
    # Of a fifth of the area on, at a ratio from 3:4, of the width at least .38.
    assert ((high - low) > 0.3).all()
    assert ((high - low) < 0.9).any()
    rises = views[:, 0, 0, -1] > views[:, 0, 0, 0]
    assert 0.25 < rises.float().mean() < 0.75


def test_crops_are_drawn_from_their_generator_alone() -> None:
    image = torch.rand(1, 3, 8, 8, generator=torch.Generator().manual_seed(1))
    with pytest.raises(ValueError, match="a share of 0"):
        crops(image, torch.Generator(), 0.0)
    one, again, other = (
        crops(image, torch.Generator().manual_seed(k), 0.08, colours=True)
        for k in (1, 1, 2)
    )
    assert torch.equal(one, again)
    assert not torch.equal(one, other)
