"""Conditionals are those of Gaussians, and drawn masks add up to the likelihood."""

import pytest
import torch
from scipy.stats import multivariate_normal

from mae_bench.datasets.ar_chain import ARChain
from mae_bench.datasets.digits import Digits
from mae_bench.datasets.gaussian_field import GaussianField
from mae_bench.methods.masked_likelihood import GRID
from mae_bench.methods.masked_score import MaskedScore
from mae_bench.methods.pixels import Pixels
from mae_bench.metrics import Skip
from mae_bench.metrics.evidence import conditionals, evidence
from mae_bench.oracles.masked_likelihood import chain


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def read(method, world, n=2000):
    return evidence(method, world, world.sample(n, rng(3)), rng(4))


def test_a_conditional_is_a_quotient_of_densities():
    q, noise = chain(4, 0.7)[0], rng()
    x = torch.randn(5, 4, generator=noise, dtype=torch.float64)
    order = torch.rand(5, 4, generator=noise).argsort(1)
    found = conditionals(q, x, order)
    for row, places, got in zip(x, order, found, strict=True):
        for masked in range(1, 5):
            seen, more = places[: 4 - masked], places[: 5 - masked]
            slow = multivariate_normal.logpdf(row[more], cov=q[more][:, more])
            if len(seen):
                slow -= multivariate_normal.logpdf(row[seen], cov=q[seen][:, seen])
            assert got[masked - 1].item() == pytest.approx(slow)


def test_sizes_add_up_and_single_pixels_do_not():
    world = GaussianField(rng(), image_size=3)
    method = MaskedScore(world, rng(1))
    found = read(method, world)
    x = world.sample(2000, rng(3)).images.flatten(1).double().numpy()
    q = chain(9, method.phi)[0].numpy()
    assert found["log_likelihood"] == pytest.approx(
        multivariate_normal.logpdf(x, cov=q).mean()
    )
    assert found["cumulative"] == pytest.approx(found["log_likelihood"], abs=0.08)
    assert found["single"] > found["log_likelihood"] + 0.5


def test_nothing_is_lost_at_the_truth():
    world = ARChain(rng(), image_size=2)
    method = MaskedScore(world, rng(1))
    method.curve.copy_(-(GRID - 0.7).square())
    assert read(method, world, 50)["lost"] == pytest.approx(0, abs=1e-9)
    method.curve.copy_(-(GRID - 0.5).square())
    assert read(method, world, 50)["lost"] > 0.05


def test_other_methods_and_worlds_are_skipped():
    world, digits = ARChain(rng()), Digits(rng())
    with pytest.raises(Skip, match="Pixels chooses by no masked score"):
        read(Pixels(world, rng()), world, 5)
    with pytest.raises(Skip, match="covariance of Digits is not known"):
        read(MaskedScore(digits, rng()), digits, 5)
