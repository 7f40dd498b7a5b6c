"""Means and posteriors against drawn images and listed sums."""

import pytest
import torch

from mae_bench.datasets.digits import Digits
from mae_bench.datasets.ising_phases import IsingPhases
from mae_bench.datasets.skewed_hierarchy import SkewedHierarchy
from mae_bench.datasets.two_modes import TwoModes
from mae_bench.oracles.mode_frequency import (
    implied_weight,
    least_error,
    mode_means,
    mode_posterior,
)

KINDS = {
    "ising": lambda: IsingPhases(rng(), image_size=6, sweeps=10),
    "hierarchy": lambda: SkewedHierarchy(rng(), rules="random:2,random:1"),
    "product": lambda: TwoModes(rng(), image_size=4),
}


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("name", KINDS)
def test_means_are_those_of_drawn_images(name):
    world, n = KINDS[name](), 8000
    batch, means = world.draw(n, rng(1)), mode_means(world)
    first = batch.latents["level_0"][:, 0] > 0
    for mean, ours in zip(means, (first, ~first), strict=True):
        error = batch.images[ours].double().mean(0) - mean
        # 1.2 is no less than the deviation of any pixel here but by the noise of 1.
        assert error.abs().max() < 5 * 1.6 / ours.sum() ** 0.5
    assert first.double().mean() == pytest.approx(0.7, abs=0.025)
    seen = implied_weight(batch.images.double().mean(0), means)
    assert seen == pytest.approx(first.double().mean().item(), abs=0.02)
    assert implied_weight(means[0], means) == pytest.approx(1)
    assert implied_weight(means[1], means) == pytest.approx(0)


@pytest.mark.parametrize("name", ["hierarchy", "product"])
def test_the_posterior_is_calibrated_and_the_error_is_its_own(name):
    world, n = KINDS[name](), 4000
    batch = world.draw(n, rng(2))
    mask = torch.rand(16, generator=rng(3)).argsort() >= 3
    if name == "hierarchy":  # of leaves of four pixels
        mask = mask.view(4, 4).repeat_interleave(2, 0).repeat_interleave(2, 1)
    mask = mask.flatten().float().expand(n, -1)
    posterior = mode_posterior(world, batch.images, mask)
    first = (batch.latents["level_0"][:, 0] > 0).double()
    for low, high in ((0.0, 0.5), (0.5, 0.8), (0.8, 1.01)):
        here = (posterior >= low) & (posterior < high)
        if here.sum() > 100:
            gap = (first[here] - posterior[here]).mean()
            assert gap.abs() < 4 * 0.5 / here.sum() ** 0.5
    blind = batch.images.double() - batch.images.double().mean(0)
    worse = blind.square().flatten(1)[mask == 1].mean().item()
    assert 0 < least_error(world, batch.images, mask) < worse


def test_the_least_error_of_a_product_is_that_of_listed_spins():
    world = TwoModes(rng(), image_size=2)
    states = torch.cartesian_prod(*[torch.tensor([1.0, -1.0])] * 4)
    plus, minus = (((1 + s * 0.6 * states) / 2).prod(1) for s in (1, -1))
    p = 0.7 * plus + 0.3 * minus
    squares = 0.0
    for a in (1.0, -1.0):
        here = states[:, 0] == a
        mean = (p[here, None] * states[here]).sum(0) / p[here].sum()
        squares += (p[here] @ (states[here, 1:] - mean[1:]).square()).mean()
    images = states.view(-1, 1, 2, 2)
    mask = torch.tensor([0.0, 1.0, 1.0, 1.0]).expand(16, -1)
    each = [least_error(world, images[i : i + 1], mask[i : i + 1]) for i in range(16)]
    assert p @ torch.tensor(each) == pytest.approx(squares.item(), abs=1e-6)


def test_where_no_sum_gives_it_nothing_is_said():
    ising, digits = KINDS["ising"](), Digits(rng())
    for world in (ising, digits):
        images = world.sample(3, rng(1)).images
        mask = torch.ones(3, images[0].numel())
        assert mode_posterior(world, images, mask) is None
        assert least_error(world, images, mask) is None
    # Nor of masks that cut leaves in pieces.
    world = KINDS["hierarchy"]()
    images = world.draw(3, rng(1)).images
    mask = (torch.arange(64) % 2).float().expand(3, -1)
    assert mode_posterior(world, images, mask) is None
    assert least_error(world, images, mask) is None
