"""Modes have their weight, spins their mean; they know of each other by the mode."""

import pytest
import torch

from mae_bench.datasets.two_modes import TwoModes


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_modes_have_their_weight_and_spins_their_mean():
    batch = TwoModes(rng(), weight=0.8, theta=0.5).sample(20_000, rng(1))
    mode, spins = batch.latents["level_0"], batch.images.flatten(1)
    assert set(spins.unique().tolist()) == {-1.0, 1.0}
    assert batch.labels.float().mean().item() == pytest.approx(0.8, abs=0.01)
    assert torch.equal(batch.labels, (mode[:, 0] > 0).long())
    torch.testing.assert_close(
        (mode * spins).mean(0), torch.full((64,), 0.5), atol=0.03, rtol=0
    )


def test_given_the_mode_spins_are_independent():
    batch = TwoModes(rng()).sample(20_000, rng(1))
    residual = batch.images.flatten(1) - 0.6 * batch.latents["level_0"]
    C = residual.T @ residual / len(residual)
    torch.testing.assert_close(C, 0.64 * torch.eye(64), atol=0.03, rtol=0)


@pytest.mark.parametrize(
    "settings",
    [{"image_size": 1}, {"weight": 0.0}, {"weight": 1.0}, {"theta": 1.5}],
)
def test_a_setting_out_of_range_is_named(settings):
    with pytest.raises(ValueError, match=f"{next(iter(settings))} is"):
        TwoModes(rng(), **settings)
