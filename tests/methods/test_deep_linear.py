"""Losses are those of slow loops over images; descent follows the flow, balanced."""

import pytest
import torch

from mae_bench.datasets.linear_pair import LinearPair
from mae_bench.methods.deep_linear import DeepLinear, halves
from mae_bench.oracles.deep_linear import plateau_exponent

BOTH = pytest.mark.parametrize("objective", ["mae", "jepa"])


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def built(**settings) -> DeepLinear:
    return DeepLinear(LinearPair(rng()), rng(), **settings)


def random_weights(method: DeepLinear) -> DeepLinear:
    with torch.no_grad():
        for k, weight in enumerate(method.parameters()):
            weight.copy_(torch.randn(weight.shape, generator=rng(k)))
    return method


@BOTH
def test_the_loss_is_a_mean_over_the_training_set(objective):
    method = random_weights(built(objective=objective, images=50))
    # The rotations are drawn first, then the set.
    again = rng()
    torch.randn(2, 8, 8, generator=again, dtype=torch.float64)
    images = method.dataset.sample(50, again).images
    W, total = method.encoder(), 0.0
    for x, y in zip(*halves(images), strict=True):
        target = y if objective == "mae" else W @ y
        total += 0.5 * (method.V @ W @ x - target).square().sum().item()
    found = method.loss(method.dataset.sample(3, rng(9)), rng())
    assert found.item() == pytest.approx(total / 50, rel=1e-4)


def test_the_target_of_jepa_has_no_gradient():
    method = random_weights(built(objective="jepa", images=50))
    method.loss(method.dataset.sample(2, rng()), rng()).backward()
    found = method.layers[0].grad.clone()
    frozen = method.encoder().detach()
    method.zero_grad()
    W = method.encoder()
    error = torch.cat([method.V @ W, -frozen], 1)
    (0.5 * (error @ method.moments * error).sum()).backward()
    torch.testing.assert_close(found, method.layers[0].grad)


@BOTH
@pytest.mark.parametrize("depth", [1, 3])
def test_it_starts_small_balanced_and_aligned(objective, depth):
    method = built(objective=objective, depth=depth, init_scale=0.01)
    W, eye = method.encoder().detach(), torch.eye(8)
    torch.testing.assert_close(W.T @ W, 1e-4 * eye, atol=1e-9, rtol=0)
    share = 0.01 ** (2 / depth) * eye
    for weight in method.parameters():
        torch.testing.assert_close(weight @ weight.T, share, atol=1e-7, rtol=1e-5)
    # V W̄ is a multiple of its target's map, I or W̄.
    target = eye if objective == "mae" else W / 0.01
    scale = 0.01 ** (1 / depth + 1)
    torch.testing.assert_close(method.V @ W, scale * target, atol=1e-7, rtol=1e-4)


def descend(method: DeepLinear) -> DeepLinear:
    """What a training run does, a few hundred steps a call."""
    [optimizer], [schedule] = method.configure_optimizers()
    batch, weights = method.dataset.sample(2, rng()), dict(method.named_parameters())
    for step in range(method.last_step):
        optimizer.zero_grad()
        method.loss(batch, rng()).backward()
        optimizer.step()
        method.follow(weights, step)
        schedule["scheduler"].step()
    return method


@BOTH
def test_descent_ends_on_the_plateaus_with_balanced_layers(objective):
    settings = {"objective": objective, "depth": 2, "init_scale": 0.1}
    method = descend(built(**settings, steps=400, images=200_000))
    rho = method.dataset.rho.float()
    plateau = rho ** plateau_exponent(2, objective)
    torch.testing.assert_close(method.amplitudes[-1], plateau, rtol=0.03, atol=0)
    first, second = method.layers
    balance = second.T @ second - first @ first.T
    assert balance.abs().max() < 1e-2
    # The trajectory begins at the start and has one row a step.
    torch.testing.assert_close(method.amplitudes[0], torch.full((8,), 0.1))
    assert method.amplitudes.shape == (400, 8)


def test_amplitudes_are_those_from_before_each_step():
    method = built(steps=3, images=50)
    found = []
    for step in range(4):
        found.append(method.encoder().detach().norm(dim=0))
        with torch.no_grad():
            method.layers[0].mul_(2)
        method.follow({}, step)
    assert torch.equal(method.amplitudes, torch.stack(found[:3]))


def test_a_checkpoint_keeps_the_steps_that_were_taken():
    assert built(steps=100, stop=0.25).amplitudes.shape == (25, 8)


def test_features_are_the_encoders_of_the_left_half():
    method = built()
    batch = method.dataset.sample(5, rng(1))
    left = batch.images[:, 0, :, :2].reshape(5, 8)
    found = method.features(batch)
    torch.testing.assert_close(found["code"], left @ method.encoder().T)
    assert torch.equal(found["code"], found["mean"])
    with pytest.raises(ValueError, match="leave ids_keep out"):
        method.features(batch, torch.zeros(5, 1, dtype=torch.int64))


@pytest.mark.parametrize(
    "settings", [{"depth": 0}, {"objective": "clip"}, {"init_scale": 0.0}]
)
def test_a_setting_out_of_range_is_named(settings):
    with pytest.raises(ValueError, match=f"{next(iter(settings))} is"):
        built(**settings)
