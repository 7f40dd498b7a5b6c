"""M-MAE: its loss is MAE's less a coding rate with known values."""

import math

import pytest
import torch
from torch import Tensor

from mae_bench.datasets import Batch, Dataset
from mae_bench.methods.m_mae import MMAE, coding_rate
from mae_bench.methods.mae import MAE
from mae_bench.methods.u_mae import uniformity_loss

SMALL = {"embed_dim": 16, "depth": 1, "decoder_embed_dim": 16}


def stream(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def double(n: int, d: int, seed: int = 0) -> Tensor:
    return torch.randn(n, d, generator=stream(seed), dtype=torch.float64)


def slow_coding_rate(features: Tensor, mu: float) -> float:
    """By the n x n matrix of cosines, element by element, and its eigenvalues."""
    rows, d = features.tolist(), features.shape[1]
    cosines = [
        [
            sum(a * b for a, b in zip(one, two, strict=True))
            / math.hypot(*one)
            / math.hypot(*two)
            for two in rows
        ]
        for one in rows
    ]
    eigenvalues = torch.linalg.eigvalsh(torch.tensor(cosines, dtype=torch.float64))
    return sum(math.log(1 + mu / d * max(e, 0)) for e in eigenvalues.tolist())


@pytest.mark.parametrize("mu", [0.1, 1.0, 3.0, 50.0])
@pytest.mark.parametrize(("n", "d"), [(1, 3), (2, 5), (5, 2), (7, 7), (20, 4)])
def test_it_is_the_sum_over_eigenvalues_of_the_cosines(n, d, mu):
    features = double(n, d)
    expected = slow_coding_rate(features, mu)
    assert coding_rate(features, mu).item() == pytest.approx(expected, rel=1e-9)


def test_at_its_ends_it_has_closed_forms():
    d, mu = 4, 3.0
    together = coding_rate(torch.ones(12, d), mu).item()
    assert together == pytest.approx(math.log(1 + mu * 12 / d), rel=1e-5)
    isotropic = coding_rate(torch.eye(d).repeat(3, 1), mu).item()
    assert isotropic == pytest.approx(d * math.log(1 + mu * 12 / d**2), rel=1e-5)
    orthogonal = coding_rate(torch.eye(d)[:3], mu).item()
    assert orthogonal == pytest.approx(3 * math.log(1 + mu / d), rel=1e-5)


@pytest.mark.parametrize(("n", "d"), [(3, 8), (8, 8), (40, 8)])
def test_all_features_are_between_the_ends(n, d):
    mu = 3.0
    most = min(d * math.log(1 + mu * n / d**2), n * math.log(1 + mu / d))
    for seed in range(20):
        skewed = double(n, d, seed) + seed / 4
        assert math.log(1 + mu * n / d) < coding_rate(skewed, mu).item() < most


def test_lengths_signs_rotations_and_order_do_not_count():
    features, mu = double(9, 4), 3.0
    rotation, _ = torch.linalg.qr(double(4, 4, 1))
    lengths = double(9, 1, 2)
    other = ((features * lengths) @ rotation).flip(0)
    assert torch.allclose(coding_rate(other, mu), coding_rate(features, mu))


def test_its_gradient_is_that_of_finite_differences():
    features = double(5, 3).requires_grad_()
    assert torch.autograd.gradcheck(lambda z: coding_rate(z, 3.0), features)


def test_to_second_order_in_mu_it_is_the_uniformity_loss():
    features = double(10, 4).requires_grad_()
    gaps = []
    for mu in (0.02, 0.01):
        scale = mu * 10 / 4
        second = scale - scale**2 / 2 * uniformity_loss(features, diagonal=True)
        rate = coding_rate(features, mu)
        (ours,) = torch.autograd.grad(rate, features)
        (theirs,) = torch.autograd.grad(second, features)
        assert torch.allclose(ours, theirs, rtol=0.1, atol=0.1 * ours.abs().max())
        gaps.append((rate - second).item())
    # What is left is of third order.
    assert gaps[0] / gaps[1] == pytest.approx(8, rel=0.05)


def test_features_that_are_no_numbers_give_no_number_and_no_error():
    assert coding_rate(torch.full((3, 2), torch.nan), 3.0).isnan()


def test_the_loss_is_maes_less_lamb_times_the_rate_of_masked_class_tokens(
    ramps: Dataset,
):
    method = MMAE(ramps, stream(), lamb=0.3, mu=2.0, **SMALL)
    batch = ramps.sample(8, stream(1))
    masking = method.masking(8, stream(2))
    features = method.features(batch, masking.ids_keep)["cls"]
    plain = MAE(ramps, stream(), **SMALL).loss(batch, stream(2))
    expected = plain - 0.3 * coding_rate(features, 2.0)
    assert torch.allclose(method.loss(batch, stream(2)), expected)


def test_half_precision_is_kept_out_of_the_rate():
    features = torch.randn(32, 16, generator=stream())
    exact = coding_rate(features, 3.0)
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(coding_rate(features, 3.0), exact)
    rounded = coding_rate(features.bfloat16(), 3.0)
    assert rounded.dtype == torch.float32
    assert rounded.item() == pytest.approx(exact.item(), rel=1e-3)


def test_it_learns_to_continue_a_ramp_and_a_large_lamb_spreads_the_class_tokens(
    ramps: Dataset, train
):
    held_out = ramps.sample(200, stream(9))
    settings = {**SMALL, "mask_ratio": 0.5, "steps": 60, "batch_size": 32}
    rates = {}
    for lamb in (0.01, 0.3):
        method = MMAE(ramps, stream(), lamb=lamb, **settings)
        before = error(method, held_out)
        train(method)
        assert error(method, held_out) < 0.6 * before
        features = method.features(held_out)["cls"].detach()
        assert features.std(0).mean() > 0.1
        rates[lamb] = coding_rate(features, 3.0).item()
    # Images of rank two do not fill 16 dimensions by themselves.
    assert rates[0.3] > 1.3 * rates[0.01]


@torch.no_grad()
def error(method: MMAE, batch: Batch) -> float:
    prediction, target, _ = method.reconstruct(batch, stream(10))
    return (prediction - target).square().mean().item()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"lamb": -0.1}, r"lamb -0\.1 would pull features together"),
        ({"mu": 0.0}, r"mu 0\.0 weighs no feature"),
        ({"mu": math.nan}, "mu nan weighs no feature"),
    ],
)
def test_bad_settings_are_refused_when_it_is_built(settings, message, ramps: Dataset):
    with pytest.raises(ValueError, match=message):
        MMAE(ramps, stream(), **SMALL, **settings)
