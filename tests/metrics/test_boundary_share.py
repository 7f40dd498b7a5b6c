"""Even weights have a share of 1, weights on the rim alone all there is."""

import pytest
import torch

from mae_bench.datasets.gaussian_field import GaussianField
from mae_bench.methods.linear_mae import LinearMAE
from mae_bench.methods.pixels import Pixels
from mae_bench.metrics import Skip
from mae_bench.metrics.boundary_share import boundary_share, on_border, pixel_weights
from mae_bench.oracles.linear_mae import patch_index, solve_all_pixels


def rng(seed=0):
    return torch.Generator().manual_seed(seed)


def share(A, B, *, patch_size=4, channels=1):
    world = GaussianField(rng(), channels=channels)
    method = LinearMAE(world, rng(), patch_size=patch_size, rank=A.shape[1])
    with torch.no_grad():
        method.A.copy_(A)
        method.B.copy_(B)
    return boundary_share(method, world, world.sample(2, rng()), rng())[""]


@pytest.mark.parametrize(("patch_size", "channels"), [(2, 1), (3, 1), (4, 2), (6, 1)])
def test_a_pixel_is_on_the_border_if_a_neighbour_is_in_another_patch(
    patch_size, channels
):
    side = 12
    patch = patch_index(side**2 * channels, patch_size, channels=channels)
    patch = patch.view(channels, side, side)
    padded = torch.full((channels, side + 2, side + 2), -1)
    padded[:, 1:-1, 1:-1] = patch
    slow = torch.zeros_like(patch, dtype=torch.bool)
    for row, column in ((0, 1), (2, 1), (1, 0), (1, 2)):
        near = padded[:, row : row + side, column : column + side]
        slow |= near != patch
    assert torch.equal(on_border(side, patch_size, channels), slow.flatten())


@pytest.mark.parametrize("channels", [1, 2])
def test_even_weights_favour_none_and_rims_can_have_it_all(channels):
    d = 64 * channels
    even = torch.ones(d, 1) * torch.tensor([1.0, -1.0]).repeat(d // 2)[:, None]
    assert share(even, torch.ones(1, d), channels=channels) == pytest.approx(1)
    rim = on_border(8, 4, channels).float()[:, None]
    assert share(rim, torch.ones(1, d), channels=channels) == pytest.approx(4 / 3)
    assert share(1 - rim, torch.ones(1, d), channels=channels) == pytest.approx(0)


def test_it_does_not_depend_on_the_basis_of_the_code():
    A = torch.randn(64, 3, generator=rng(1))
    B = torch.randn(3, 64, generator=rng(2))
    T = torch.randn(3, 3, generator=rng(3))
    assert share(A, B) == pytest.approx(share(A @ T.inverse(), T @ B), rel=1e-4)
    Q = torch.linalg.qr(B.T)[0].double()
    rotated = A.double() @ B.double() @ Q  # the encoder of the orthonormal decoder
    found = pixel_weights(A.double(), B.double())
    torch.testing.assert_close(found, rotated.norm(dim=1), rtol=1e-5, atol=1e-5)


def test_the_optimum_of_a_short_field_favours_rims_and_pca_does_not_as_much():
    C = GaussianField(rng(), length=1.0).covariance()
    best = solve_all_pixels(C, 0.75, 4, 1)
    pca = torch.linalg.eigh(C).eigenvectors[:, -1:]
    masked = share(best.encoder.float(), best.decoder.float())
    assert masked > 1.02
    assert masked > share(pca.float(), pca.T.float())


def test_what_has_no_rim_apart_is_skipped():
    world = GaussianField(rng())
    batch = world.sample(2, rng())
    with pytest.raises(Skip, match="Pixels is no linear MAE"):
        boundary_share(Pixels(world, rng()), world, batch, rng())
    with pytest.raises(Skip, match="no interior"):
        boundary_share(LinearMAE(world, rng(), patch_size=2), world, batch, rng())
