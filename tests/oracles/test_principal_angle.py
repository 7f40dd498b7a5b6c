"""Principal angles against scipy's, and what does not change them."""

import math

import pytest
import torch
from scipy.linalg import subspace_angles

from mae_bench.oracles.linear_mae import solve_all_pixels
from mae_bench.oracles.principal_angle import principal_angle


def draw(seed, *shape):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(shape, generator=generator, dtype=torch.float64)


@pytest.mark.parametrize("widths", [(1, 1), (3, 3), (2, 5), (5, 2), (6, 6)])
def test_they_are_scipys(widths):
    one, other = draw(0, 8, widths[0]), draw(1, 8, widths[1])
    theirs = torch.from_numpy(subspace_angles(one.numpy(), other.numpy()))
    torch.testing.assert_close(principal_angle(one, other), theirs, atol=1e-12, rtol=0)


@pytest.mark.parametrize(
    "angle", [0.0, 1e-11, 1e-4, 0.7, math.pi / 4, 1.5, math.pi / 2]
)
def test_a_turned_plane_has_its_angle_to_all_digits(angle):
    plane = torch.eye(4, dtype=torch.float64)[:, :2]
    turned = plane.clone()
    turned[1, 1], turned[2, 1] = math.cos(angle), math.sin(angle)
    assert principal_angle(plane, turned).tolist() == pytest.approx(
        [angle, 0], abs=1e-15, rel=1e-9
    )


def test_bases_do_not_matter_nor_do_repeated_columns():
    one, other = draw(0, 9, 3), draw(1, 9, 3)
    expected = principal_angle(one, other)
    turned = principal_angle(one @ draw(2, 3, 3), 1e6 * other)
    torch.testing.assert_close(turned, expected, atol=1e-9, rtol=0)
    repeated = principal_angle(torch.cat([one, one[:, :1]], 1), other)
    torch.testing.assert_close(repeated, expected, atol=1e-9, rtol=0)
    torch.testing.assert_close(principal_angle(other, one), expected)


def test_a_space_within_another_has_angles_of_zero():
    whole = draw(0, 9, 5)
    angles = principal_angle(whole, whole @ draw(1, 5, 2))
    assert angles.shape == (2,)
    assert angles.max() < 1e-12


def test_the_squared_cosines_are_the_overlap():
    u, v = (torch.linalg.qr(draw(seed, 10, 4))[0] for seed in (0, 1))
    overlap = (u.T @ v).square().sum()
    torch.testing.assert_close(principal_angle(u, v).cos().square().sum(), overlap)


def test_a_change_of_code_leaves_the_linear_maes_subspace():
    x = draw(0, 50, 16)
    best = solve_all_pixels(x.T @ x, 0.5, 2, 3)
    mixed = draw(1, 3, 3) @ best.decoder
    assert principal_angle(mixed.T, best.subspace).max() < 1e-9


def test_what_spans_nothing_is_refused():
    with pytest.raises(ValueError, match="zero"):
        principal_angle(torch.zeros(3, 2).double(), draw(0, 3, 1))
    with pytest.raises(ValueError, match="not finite"):
        principal_angle(draw(0, 3, 1), draw(0, 3, 1) / 0)
