"""Phases of Ising: as magnets are, but for how often they point up."""

import pytest
import torch

from mae_bench.datasets.ising import Ising
from mae_bench.datasets.ising_phases import IsingPhases


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def small(**settings) -> IsingPhases:
    return IsingPhases(rng(), image_size=4, sweeps=5, **settings)


@pytest.mark.parametrize("weight", [0.2, 0.7])
def test_so_many_point_up_and_the_class_says_which(weight):
    world = small(weight=weight)
    for batch in (world.sample(4000, rng(1)), world.split("test", 4000, rng(2))):
        assert batch.labels.double().mean() == pytest.approx(weight, abs=0.03)
        total = batch.images.sum((1, 2, 3))
        label = torch.where(total == 0, batch.images[:, 0, 0, 0], total) > 0
        assert torch.equal(batch.labels, label.long())
        torch.testing.assert_close(batch.latents["level_0"][:, 0], total / 16)


def test_without_their_sign_they_are_plain_magnets():
    one, other = small(), Ising(rng(), image_size=4, coupling=0.5, sweeps=5)
    ours, theirs = (w.sample(100, rng(1)).images for w in (one, other))
    assert torch.equal(ours * ours[:, :, :1, :1], theirs * theirs[:, :, :1, :1])
    moments = other.sample(4000, rng(2)).latents["level_0"].abs().mean()
    assert one.magnetisation() == pytest.approx(moments.item(), abs=0.02)


def test_an_ordered_image_is_mostly_of_its_phase():
    world = IsingPhases(rng(), image_size=6, coupling=0.5)
    found = world.sample(1000, rng(1)).latents["level_0"].abs()
    assert found.mean() > 0.85
    assert (found < 0.3).double().mean() < 0.03


@pytest.mark.parametrize("weight", [0.0, 1.0, 1.5])
def test_a_weight_that_is_none_is_named(weight):
    with pytest.raises(ValueError, match=f"weight is {weight}; choose in"):
        small(weight=weight)
