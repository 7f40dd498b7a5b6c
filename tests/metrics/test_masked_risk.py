"""The risk is that of a slow mean over images, with 0 and 1 at its ends."""

import pytest
import torch

from mae_bench.datasets.digits import Digits
from mae_bench.datasets.gaussian_field import GaussianField
from mae_bench.datasets.spiked_field import SpikedField
from mae_bench.methods.pixels import Pixels
from mae_bench.methods.ridgeless import Ridgeless
from mae_bench.metrics import Skip
from mae_bench.metrics.masked_risk import masked_risk, relative_risk
from mae_bench.oracles.masked_regression import excess_risk


def rng(seed=0):
    return torch.Generator().manual_seed(seed)


def read(method, world):
    return masked_risk(method, world, world.sample(2, rng()), rng())


def best(covariance):
    return torch.linalg.solve(covariance[:-1, :-1], covariance[:-1, -1])


@pytest.mark.parametrize("world", [GaussianField(rng()), SpikedField(rng())])
def test_the_best_coefficients_have_no_risk_and_none_have_all(world):
    C = world.covariance()
    beta = best(C)
    assert relative_risk(beta[None], C) == pytest.approx(0, abs=1e-12)
    assert relative_risk(torch.zeros_like(beta)[None], C) == pytest.approx(1)
    both = torch.stack([beta, 3 * beta])
    assert relative_risk(both, C) == pytest.approx((0 + 4) / 2)


def test_the_risk_is_a_mean_over_images_and_fits():
    world = SpikedField(rng(), image_size=5)
    method = Ridgeless(world, rng(1), samples=15, fits=3)
    found = read(method, world)["risk"]
    batch = world.sample(100_000, rng(2))
    guess = method.features(batch)["mean"]
    slow = (guess - batch.latents["level_0"]).square().mean().item()
    assert found == pytest.approx(slow, rel=0.02)


def test_the_gaps_are_relative_to_the_limit():
    world = SpikedField(rng(), image_size=5, spike=3.0, target_noise=0.4)
    method = Ridgeless(world, rng(1), mask_ratio=0.4, samples=80, fits=2)
    found = read(method, world)
    size, facts = (24, 80), {"spike": 3.0, "noise": 0.4}
    assert found["limit"] == excess_risk(0.4, *size, **facts)
    assert found["gap"] == pytest.approx(found["risk"] / found["limit"] - 1)
    whole = excess_risk(0.0, *size, **facts)
    assert found["gap_unmasked"] == pytest.approx(found["risk"] / whole - 1)


def test_many_fits_are_near_the_limit():
    world = SpikedField(rng(), image_size=15)
    method = Ridgeless(world, rng(1), mask_ratio=0.3, samples=60, fits=60)
    assert abs(read(method, world)["gap"]) < 0.2


def test_the_limit_is_of_the_spiked_world_alone():
    world = GaussianField(rng())
    assert set(read(Ridgeless(world, rng(1), fits=1), world)) == {"risk"}


def test_what_has_no_risk_is_skipped():
    field, digits = GaussianField(rng()), Digits(rng())
    with pytest.raises(Skip, match="Pixels is no ridgeless regression"):
        read(Pixels(field, rng()), field)
    with pytest.raises(Skip, match="covariance of Digits"):
        read(Ridgeless(digits, rng(), fits=1), digits)
    with pytest.raises(Skip, match="nothing to do with the others"):
        relative_risk(torch.ones(1, 3).double(), torch.eye(4).double())
