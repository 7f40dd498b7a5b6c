"""Tokens have the joint law that is declared."""

import pytest
import torch

from mae_bench.datasets.hidden_chain import HiddenChain, doubly_stochastic
from mae_bench.methods.chain_predictor import symbol_law


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_transitions_are_doubly_stochastic():
    world = HiddenChain(rng())
    for axis in (0, 1):
        torch.testing.assert_close(world.transition.sum(axis), torch.ones(3).double())
    assert (world.transition.diagonal() > 0.6).all()
    mixed = doubly_stochastic(torch.full((6,), 1 / 6))
    torch.testing.assert_close(mixed, torch.full((3, 3), 1 / 3))


def test_three_symbols_in_a_row_have_the_joint_law():
    world, n = HiddenChain(rng()), 40_000
    x = world.sample(n, rng(1)).images.flatten(2).double()
    assert torch.equal(x.sum(1), torch.ones(n, 9).double())
    law = symbol_law(world.transition, world.emission, 3)
    for t in (0, 1):  # it is the same everywhere
        found = torch.einsum("ni,nj,nl->ijl", *x[:, :, t : t + 3].unbind(2)) / n
        assert (found - law).abs().max() < 5 * (0.25 / n) ** 0.5


def test_gaussian_tokens_are_the_means_of_their_states_in_unit_noise():
    world, n = HiddenChain(rng(), emissions="gaussian"), 40_000
    batch = world.sample(n, rng(1))
    states = batch.latents["level_0"].view(n, 9, 3).double()
    noise = batch.images.flatten(2).transpose(1, 2) - states @ world.emission
    assert noise.mean((0, 1)).abs().max() < 0.02
    assert (noise.std((0, 1)) - 1).abs().max() < 0.02
    assert torch.equal(states[:, 0].argmax(1), batch.labels)
    moved = torch.einsum("na,nb->ab", states[:, 0], states[:, 1]) / n * 3
    torch.testing.assert_close(moved, world.transition, atol=0.02, rtol=0)


@pytest.mark.parametrize(
    "settings", [{"image_size": 1}, {"emissions": "words"}, {"spread": 0.0}]
)
def test_a_setting_out_of_range_is_named(settings):
    with pytest.raises(ValueError, match=f"{next(iter(settings))} is"):
        HiddenChain(rng(), **settings)
