"""The exact posterior, expectation and ε_CI against counting and regression."""

import math

import pytest
import torch

from mae_bench.datasets import Batch
from mae_bench.datasets.conditional_halves import ConditionalHalves, halves, joined


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def axes(world):
    """a, B, m and the rest, as columns."""
    (a, B), (m, rest) = (world.parameters()[s].chunk(2, 1) for s in ("right", "left"))
    return a, B, m, rest


def test_halves_are_joined_where_they_belong():
    images = torch.arange(128.0).view(2, 1, 8, 8)
    left, right = halves(images)
    assert left[0, :5].tolist() == [0, 1, 2, 3, 8]
    assert right[0, :5].tolist() == [4, 5, 6, 7, 12]
    assert torch.equal(joined(left, right), images)


def test_directions_are_orthonormal():
    for frame in ConditionalHalves(rng()).parameters().values():
        torch.testing.assert_close(frame.T @ frame, torch.eye(8), atol=1e-5, rtol=0)


@pytest.mark.parametrize("strength", [0.0, 1.0])
@pytest.mark.parametrize("overlap", [True, False])
def test_the_halves_have_the_moments_of_their_causes(strength, overlap):
    n, world = 40_000, ConditionalHalves(rng(), strength=strength, overlap=overlap)
    a, B, m, rest = axes(world)
    C = m if overlap else rest
    batch = world.sample(n, rng(1))
    x2, x1 = halves(batch.images)
    for y in range(4):
        of_class = batch.labels == y
        one, two = x1[of_class], x2[of_class]
        slack = 5.5 * math.sqrt((2.25 + strength**2 + 0.25) / len(one))
        assert one.mean(0).abs().max() < slack  # the sign is lost in the mean
        assert (two.mean(0) - 2.0 * m[:, y]).abs().max() < slack
        within = 0.25 * torch.eye(32) + strength**2 * B @ B.T
        within = within + 2.25 * torch.outer(a[:, y], a[:, y])
        assert (one.T.cov(correction=0) - within).abs().max() < 0.1
        # Given the class the halves share the nuisance, and at strength 0 nothing.
        across = one.T @ (two - two.mean(0)) / len(one)
        assert (across - strength**2 * B @ C.T).abs().max() < 0.1


def test_the_posterior_is_that_of_the_mixture_of_all_signs():
    world = ConditionalHalves(rng(), strength=0.7)
    a, B, *_ = axes(world)
    batch = world.sample(50, rng(1))
    x1 = halves(batch.images)[1]
    within = 0.25 * torch.eye(32) + 0.49 * B @ B.T
    density = torch.zeros(50, 4, dtype=torch.float64)
    for y in range(4):
        for sign in (-1, 1):
            normal = torch.distributions.MultivariateNormal(
                (sign * 1.5 * a[:, y]).double(), within.double()
            )
            density[:, y] += normal.log_prob(x1.double()).exp()
    exact = density / density.sum(1, keepdim=True)
    found = world.posterior(batch.images).double()
    torch.testing.assert_close(found, exact, atol=1e-4, rtol=0)


@pytest.mark.parametrize("overlap", [True, False])
def test_the_expectation_leaves_a_rest_that_nothing_in_x1_tells(overlap):
    n, world = 40_000, ConditionalHalves(rng(), strength=1.0, overlap=overlap)
    batch = world.sample(n, rng(1))
    expected = world.expectation(batch.images)
    assert (expected[..., 4:] == 0).all()
    rest = halves(batch.images - expected)[0]
    _, B, *_ = axes(world)
    x1 = halves(batch.images)[1]
    told = torch.cat([world.posterior(batch.images), x1 @ B, x1.square(), x1], 1)
    told = (told - told.mean(0)) / told.std(0)
    # 32 x 76 correlations of two independent things.
    correlation = (rest / rest.std(0)).T @ told / n
    assert correlation.abs().max() < 5.5 / math.sqrt(n)


@pytest.mark.parametrize("overlap", [True, False])
@pytest.mark.parametrize("strength", [0.0, 0.5, 2.0])
def test_the_ci_gap_is_the_mean_square_of_what_the_class_leaves(strength, overlap):
    world = ConditionalHalves(rng(), strength=strength, overlap=overlap)
    batch = world.sample(20_000, rng(1))
    m = axes(world)[2]
    through_class = 2.0 * world.posterior(batch.images) @ m.T
    gap = halves(world.expectation(batch.images))[0] - through_class
    found = gap.square().sum(1).mean().item()
    assert world.ci_gap == pytest.approx(found, rel=0.03, abs=1e-9)
    assert (world.ci_gap == 0) == (strength == 0)


def test_the_class_is_linear_in_the_expectation_of_independent_halves():
    world = ConditionalHalves(rng())
    batch = world.sample(200, rng(1))
    m = axes(world)[2]
    linear = halves(world.expectation(batch.images))[0] @ m / 2.0
    torch.testing.assert_close(linear, world.posterior(batch.images), atol=1e-5, rtol=0)


def test_the_nuisance_does_not_move_the_bayes_accuracy():
    found = []
    for strength in (0.0, 2.0):
        world = ConditionalHalves(rng(), strength=strength)
        batch = world.sample(20_000, rng(1))
        right = world.posterior(batch.images).argmax(1) == batch.labels
        found.append(right.double().mean().item())
    assert found[0] == pytest.approx(found[1], abs=0.01)
    assert 0.85 < found[0] < 0.95


def test_a_redrawn_image_shares_the_class_alone():
    world = ConditionalHalves(rng(), strength=1.0)
    batch = world.sample(20_000, rng(1))
    view = world.redraw(batch, rng(2))
    assert torch.equal(view.labels, batch.labels)
    nuisance = (view.latents["level_1"] * batch.latents["level_1"]).mean(0)
    assert nuisance.abs().max() < 5 / math.sqrt(20_000)
    with pytest.raises(ValueError, match="without labels"):
        world.redraw(Batch(batch.images), rng())


def test_a_batch_is_what_the_world_declares():
    world = ConditionalHalves(rng(), classes=3)
    batch = world.sample(5, rng())
    assert batch.images.shape == (5, 1, 8, 8)
    assert batch.images.dtype == torch.float32
    assert [z.shape[1] for z in batch.latents.values()] == [3, 3]
    assert torch.equal(batch.latents["level_0"].argmax(1), batch.labels)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"classes": 1}, "classes is 1"),
        ({"classes": 17}, r"classes is 17; choose in 2\.\.16"),
        ({"strength": -1.0}, "strength is -1.0"),
        ({"strength": math.nan}, "strength is nan"),
        ({"cue": 0.0}, "cue is 0.0"),
        ({"mean": math.inf}, "mean is inf"),
        ({"pixel_noise": 0.0}, "pixel_noise is 0.0"),
    ],
)
def test_a_setting_out_of_range_is_named(settings, message):
    with pytest.raises(ValueError, match=message):
        ConditionalHalves(rng(), **settings)
