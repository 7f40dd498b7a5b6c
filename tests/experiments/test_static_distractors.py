"""The table of the experiment is what the closed forms say of its worlds."""

import pytest
import torch

from mae_bench.datasets.distracted_frames import CAUSES, DistractedFrames
from mae_bench.experiments.static_distractors import STATIC_DISTRACTORS
from mae_bench.methods.linear_views import LinearViews
from mae_bench.oracles.aligned_views import kept_subspace
from mae_bench.oracles.principal_angle import principal_angle
from mae_bench.records.schema import TIERS


def rng(seed=0):
    return torch.Generator().manual_seed(seed)


def kept(world, objective):
    """Share of the signal's directions in the best encoder's space."""
    C, K = world.covariance(), world.frame_covariance()
    if objective == "autoencoding":
        space = torch.linalg.eigh(C).eigenvectors[:, -CAUSES:]
    else:
        space = kept_subspace(K, C - K, CAUSES, objective)
    angles = principal_angle(space, world.basis[:, :CAUSES])
    return angles.cos().square().mean().item()


@pytest.mark.parametrize(
    ("objective", "still", "kept_at"),
    [
        ("joint_embedding", True, {0.5: 0, 2.0: 0}),
        ("joint_embedding", False, {0.5: 1, 2.0: 1}),
        ("reconstruction", True, {0.5: 1, 2.0: 0}),
        ("reconstruction", False, {0.5: 1, 2.0: 1}),
        ("autoencoding", True, {0.5: 1, 2.0: 0}),
        ("autoencoding", False, {0.5: 1, 2.0: 0}),
    ],
)
def test_what_the_closed_forms_keep(objective, still, kept_at):
    for strength, share in kept_at.items():
        world = DistractedFrames(rng(), strength=strength, still=still)
        assert kept(world, objective) == pytest.approx(share, abs=1e-9)


def test_every_cell_asks_for_as_many_features_as_there_are_signals():
    cells = [cell for cell, _ in STATIC_DISTRACTORS.cells(TIERS["quick"], range(1))]
    assert len(cells) == 12
    assert {cell.method_settings["rank"] for cell in cells} == {CAUSES}


def test_an_autoencoder_is_shown_images_alone():
    world = DistractedFrames(rng())
    method = LinearViews(world, rng(), objective="autoencoding", steps=1)
    batch = world.draw(5, rng(1))
    one, other = method.prepare(batch, rng(2))
    assert torch.equal(one, batch.images.flatten(1))
    assert torch.equal(one, other)
