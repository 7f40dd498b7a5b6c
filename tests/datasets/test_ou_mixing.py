"""Causes have their shape, moments their correlation, and the spiral can be undone."""

import numpy as np
import pytest
import torch
from scipy.stats import gennorm, kstest, norm

from mae_bench.datasets.ou_mixing import OUMixing, generalised_normal


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("alpha", [0.5, 2.0, 16.0])
def test_causes_are_generalised_normal_of_variance_1(alpha):
    z = OUMixing(rng(), alpha=alpha).sample(20_000, rng(1)).latents["level_0"]
    scale = 1 / gennorm.std(alpha)
    assert kstest(z[:, 0].double(), gennorm(alpha, scale=scale).cdf).pvalue > 1e-3
    assert z.var(0).tolist() == pytest.approx([1, 1], abs=0.1)


def test_the_quantiles_are_scipys():
    u = np.linspace(-5, 5, 11)
    for alpha in (0.5, 1.0, 3.0):
        scale = 1 / gennorm.std(alpha)
        expected = np.sign(u) * gennorm.isf(norm.sf(np.abs(u)), alpha, scale=scale)
        assert generalised_normal(u, alpha) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("rho", [0.3, 0.9])
def test_moments_are_correlated_and_as_likely(rho):
    world = OUMixing(rng(), rho=rho)
    one = world.sample(20_000, rng(1))
    u, after = (b.latents["level_1"] for b in (one, world.redraw(one, rng(2))))
    assert (u * after).mean(0).tolist() == pytest.approx([rho] * 2, abs=0.03)
    assert after.var(0).tolist() == pytest.approx([1, 1], abs=0.04)
    assert (u[:, 0] * after[:, 1]).mean().item() == pytest.approx(0, abs=0.03)


def test_the_spiral_can_be_undone():
    world = OUMixing(rng(), alpha=1.0, twist=1.3)
    batch = world.sample(50, rng(1))
    seen = batch.images.flatten(1) @ world.embedding.float().T
    angle = -1.3 * seen.norm(dim=1)
    c, s = angle.cos(), angle.sin()
    x, y = seen.T
    found = torch.stack([c * x - s * y, s * x + c * y], 1)
    torch.testing.assert_close(found, batch.latents["level_0"], atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize(
    "settings", [{"rho": 0.0}, {"rho": 1.0}, {"alpha": 0.1}, {"twist": -1.0}]
)
def test_a_setting_out_of_range_is_named(settings):
    with pytest.raises(ValueError, match=f"{next(iter(settings))} is"):
        OUMixing(rng(), **settings)
