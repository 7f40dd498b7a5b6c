"""The surrogate shares the digits' first two moments and is Gaussian beyond them."""

import pytest
import torch
from scipy.stats import kurtosis, skew
from torch import Tensor

from mae_bench.datasets.digits import Digits
from mae_bench.datasets.surrogate_digits import SurrogateDigits


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def pixels(n: int = 40_000) -> Tensor:
    return SurrogateDigits(rng()).sample(n, rng(1)).images.flatten(1).double()


def digits() -> Tensor:
    return Digits(rng()).split("train", 9999, rng()).images.flatten(1).double()


def test_mean_and_covariance_are_the_digits():
    x, y = pixels(), digits()
    # Of 40,000 images a variance of at most 1.2 is known to about 0.9 %.
    torch.testing.assert_close(x.mean(0), y.mean(0), atol=0.03, rtol=0)
    torch.testing.assert_close(torch.cov(x.T), torch.cov(y.T), atol=0.05, rtol=0)
    blank = y.std(0) < 1e-6
    assert blank.any()
    assert x[:, blank].std(0).max() < 1e-3


def test_nothing_of_a_higher_order_is_left():
    real, drawn = digits(), pixels()
    direction = torch.randn(64, 200, generator=rng(2), dtype=torch.float64)
    of_digits, of_drawn = (x @ direction for x in (real, drawn))
    assert abs(skew(of_drawn)).max() < 0.06
    assert abs(kurtosis(of_drawn)).max() < 0.12
    # The digits' pixels, two-humped as they are, are far from it.
    inked = real[:, real.std(0) > 0.5]
    assert abs(kurtosis(inked)).mean() > 0.8
    assert abs(kurtosis(of_digits)).max() > 0.3


def test_images_are_fresh_and_have_no_class():
    world = SurrogateDigits(rng())
    noise = rng(1)
    one, two = world.sample(8, noise), world.sample(8, noise)
    assert one.images.shape == (8, 1, 8, 8)
    assert not torch.equal(one.images, two.images)
    assert one.labels is None
    assert world.num_classes is None
    assert world.levels == ()


def test_a_seed_has_the_moments_of_its_own_training_digits():
    prints = {SurrogateDigits(rng(seed)).fingerprint() for seed in (0, 0, 1)}
    assert len(prints) == 2
    one, two = (SurrogateDigits(rng(seed)).parameters()["mean"] for seed in (0, 1))
    assert 0 < (one - two).abs().max() < 0.3
    assert SurrogateDigits(rng()).sample(4, rng(3)).images.std() == pytest.approx(
        1, abs=0.4
    )
