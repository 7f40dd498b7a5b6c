"""CKA at its ends, against loops, and the lie of the biased one, which is not told."""

import math
from itertools import permutations

import pytest
import torch

from mae_bench.metrics.cka import CKA, cka, hsic, moments


def value(first, second):
    return float(cka(first, second)[""])


def biased(first, second):
    """Kornblith et al., from centred features."""
    x, y = (h.double() - h.double().mean(0) for h in (first, second))
    cross = (x.T @ y).square().sum()
    return float(cross / ((x.T @ x).norm() * (y.T @ y).norm()))


def test_hsic_is_its_mean_over_all_ordered_quadruples(generator):
    # Song et al., Eq. 3 in its U-statistic form: no index appears twice.
    x, y = torch.randn(2, 6, 3, generator=generator).double()
    K, L = x @ x.T, y @ y.T
    terms = [
        K[i, j] * (L[i, j] + L[k, m] - 2 * L[i, k])
        for i, j, k, m in permutations(range(6), 4)
    ]
    found = hsic(moments(x, y), slice(0, 3), slice(4, 7))
    torch.testing.assert_close(found, torch.stack(terms).mean())


def test_rotation_scale_and_offset_do_not_matter(generator):
    x = torch.randn(300, 8, generator=generator)
    rotation = torch.linalg.qr(torch.randn(8, 8, generator=generator))[0]
    assert value(x, 3 * x @ rotation + 5) == pytest.approx(1, abs=1e-6)
    y = x @ torch.randn(8, 4, generator=generator) + torch.randn(
        300, 4, generator=generator
    )
    assert value(x, y) == pytest.approx(value(3 * x @ rotation + 5, y), abs=1e-6)
    assert value(x, y) == pytest.approx(value(y, x))
    assert 0.2 < value(x, y) < 0.9


def test_independent_features_have_none(generator):
    x, y = torch.randn(2, 2000, 16, generator=generator)
    assert value(x, y) == pytest.approx(0, abs=0.02)
    assert value(x, x[torch.randperm(2000, generator=generator)]) < 0.02


def test_a_shared_direction_has_the_share_of_its_variance(generator):
    # K = s s', L = s s' + t t' with t independent: HSIC 1, 1 and 2 in their unit.
    s, t = torch.randn(2, 20_000, 1, generator=generator)
    both = torch.cat([s, t], dim=1)
    assert value(s, both) == pytest.approx(1 / math.sqrt(2), abs=0.02)


def test_few_images_with_wide_features_lie_to_the_biased_one_alone(generator):
    x, y = torch.randn(2, 20, 500, generator=generator)
    assert biased(x, y) > 0.95
    assert abs(value(x, y)) < 0.1


def test_with_many_images_both_agree(generator):
    x = torch.randn(5000, 6, generator=generator)
    y = x[:, :3] + 0.5 * torch.randn(5000, 3, generator=generator)
    assert value(x, y) == pytest.approx(biased(x, y), abs=0.01)


@pytest.mark.parametrize("offset", [500.0, 1e4, -1e5])
def test_an_offset_far_above_the_spread_does_not_matter(offset, generator):
    x, noise = torch.randn(2, 3000, 5, generator=generator).double()
    y = x + noise
    assert value(x + offset, y - offset) == pytest.approx(value(x, y), abs=1e-6)
    stream = CKA()
    for batch in zip((x + offset).split(700), y.split(700), strict=True):
        stream.update(*batch)
    assert float(stream.compute()) == pytest.approx(value(x, y), abs=1e-6)


@pytest.mark.parametrize("constant", [0.0, 0.1, 1e6])
def test_constant_features_have_no_answer(constant, generator):
    x = torch.randn(50, 4, generator=generator)
    assert math.isnan(value(x, torch.full((50, 4), constant)))
    # Nor have those that differ by float32's rounding alone.
    rounding = 1 + 2**-24 * torch.randn(50, 4, generator=generator).double()
    assert math.isnan(value(x, (constant * rounding).float()))


def test_three_images_and_nan_features_are_refused():
    with pytest.raises(ValueError, match="CKA of 3 images"):
        cka(torch.ones(3, 3), torch.ones(3, 3))
    with pytest.raises(ValueError, match="NaN"):
        cka(torch.ones(5, 3), torch.full((5, 3), math.nan))


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_one_number_that_is_none_is_refused_on_either_side(bad, generator):
    x = torch.randn(6, 3, generator=generator)
    y = x.clone()
    y[4, 1] = bad
    for sides in ((x, y), (y, x)):
        with pytest.raises(ValueError, match="NaN or infinity"):
            cka(*sides)


def test_four_images_are_enough(generator):
    x = torch.randn(4, 3, generator=generator)
    assert value(x, 2 * x + 1) == pytest.approx(1, abs=1e-5)
