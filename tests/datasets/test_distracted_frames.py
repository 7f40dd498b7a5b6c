"""Frames and what follows them have the covariances that are declared."""

import math

import pytest
import torch

from mae_bench.datasets.distracted_frames import DistractedFrames


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_samples_have_the_exact_covariances(samples_agree):
    samples_agree(DistractedFrames(rng(), strength=2.0))


@pytest.mark.parametrize("still", [True, False])
def test_two_frames_have_the_covariance_that_is_declared(still):
    world, n = DistractedFrames(rng(), strength=0.5, still=still), 40_000
    now = world.sample(n, rng(1))
    then = world.redraw(now, rng(2))
    x, y = (batch.images.flatten(1).double() for batch in (now, then))
    K = world.frame_covariance()
    torch.testing.assert_close(x.T @ y / n, K, atol=0.03, rtol=0)
    torch.testing.assert_close(y.T @ y / n, world.covariance(), atol=0.04, rtol=0)
    along = (world.basis.T @ K @ world.basis).diag()
    wanted = torch.tensor([0.8] * 4 + [0.25 * still] * 4 + [0.0] * 8).double()
    torch.testing.assert_close(along, wanted)


def test_a_distractor_that_stands_still_is_kept_and_one_that_flickers_is_not():
    for still in (True, False):
        world = DistractedFrames(rng(), still=still)
        now = world.sample(50, rng(1))
        then = world.redraw(now, rng(2))
        same = torch.equal(now.latents["level_1"], then.latents["level_1"])
        assert same == still
        assert not torch.equal(now.latents["level_0"], then.latents["level_0"])


@pytest.mark.parametrize(
    "settings",
    [
        {"strength": -1.0},
        {"strength": math.inf},
        {"rho": 1.0},
        {"pixel_noise": 0.0},
    ],
)
def test_a_setting_out_of_range_is_named(settings):
    with pytest.raises(ValueError, match=f"{next(iter(settings))} is"):
        DistractedFrames(rng(), **settings)
