"""SIGReg is the slow integral, and least of Gaussian features; training lowers both."""

import math

import pytest
import torch

from mae_bench.datasets.digits import Digits
from mae_bench.datasets.ou_mixing import OUMixing
from mae_bench.methods.lejepa import LeJEPA, sigreg


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_sigreg_is_the_trapezoidal_sum_over_directions():
    h, directions = torch.randn(2, 6, 3, generator=rng())
    total = 0.0
    for a in directions:
        p = (h @ a / a.norm()).tolist()
        for knot in range(17):
            t = 3 * knot / 16
            real = sum(math.cos(t * x) for x in p) / 6 - math.exp(-t * t / 2)
            imaginary = sum(math.sin(t * x) for x in p) / 6
            step = 2 * 3 / 16 * (0.5 if knot in (0, 16) else 1.0)
            total += 6 * step * math.exp(-t * t / 2) * (real**2 + imaginary**2) / 6
    assert sigreg(h, directions).item() == pytest.approx(total, rel=1e-4)


def test_sigreg_of_gaussian_features_is_of_order_1_and_of_others_grows_with_n():
    directions = torch.randn(16, 2, generator=rng(1))
    gauss = torch.randn(4000, 2, generator=rng())
    assert sigreg(gauss, directions) < 1.5
    for other in (2 * gauss, 0 * gauss, gauss + 1, gauss.sign()):
        assert sigreg(other, directions) > 100


def test_the_loss_weighs_agreement_and_sigreg():
    world = OUMixing(rng())
    method = LeJEPA(world, rng(1), lamb=0.3)
    batch = world.sample(8, rng(2))
    one, after, directions = method.prepare(batch, rng(3))
    assert torch.equal(after, world.redraw(batch, rng(3)).images)
    h1, h2 = method.represent(one), method.represent(after)
    expected = 0.7 * (h1 - h2).square().sum(1).mean()
    expected += 0.15 * (sigreg(h1, directions) + sigreg(h2, directions))
    torch.testing.assert_close(method.loss(batch, rng(3)), expected)


def test_a_short_training_brings_agreement_and_spread(train):
    world = OUMixing(rng(), twist=0.0)
    method = LeJEPA(world, rng(1), steps=120, batch_size=64, lr=0.01, warmup=0.1)
    losses = train(method)
    assert sum(losses[-20:]) < 0.7 * sum(losses[:20])
    h = method.features(world.sample(1000, rng(4)))["code"]
    assert (h.std(0) > 0.5).all()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"lamb": 0.0}, "lamb is 0.0"),
        ({"lamb": 1.0}, "lamb"),
        ({"width": 0}, "width 0"),
    ],
)
def test_a_setting_out_of_range_is_named(settings, message):
    with pytest.raises(ValueError, match=message):
        LeJEPA(OUMixing(rng()), rng(), **settings)


def test_of_a_world_without_pairs_it_sees_augmentations_and_no_masked_view():
    digits = Digits(rng())
    method, batch = LeJEPA(digits, rng()), digits.sample(2, rng())
    one, other, _ = method.prepare(batch, rng())
    assert one.shape == other.shape == batch.images.shape
    assert not torch.equal(one, other)
    assert not torch.equal(one, batch.images)
    with pytest.raises(ValueError, match="leave ids_keep out"):
        method.features(batch, torch.zeros(2, 1, dtype=torch.int64))
