"""U-MAE: its loss is MAE's and a uniformity with known values."""

import pytest
import torch

from mae_bench.datasets import Dataset
from mae_bench.methods.mae import MAE
from mae_bench.methods.u_mae import UMAE, uniformity_loss

SMALL = {"embed_dim": 16, "depth": 1, "decoder_embed_dim": 16}


def stream(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("diagonal", [False, True])
@pytest.mark.parametrize(("n", "d"), [(2, 3), (5, 2), (7, 7)])
def test_it_is_the_mean_over_pairs_of_the_squared_cosine(n, d, diagonal):
    features = torch.randn(n, d, generator=stream(), dtype=torch.float64)
    total, pairs = 0.0, 0
    for i in range(n):
        for j in range(n):
            if diagonal or i != j:
                a, b = features[i], features[j]
                total += ((a @ b) / (a.norm() * b.norm())).item() ** 2
                pairs += 1
    assert uniformity_loss(features, diagonal).item() == pytest.approx(total / pairs)


@pytest.mark.parametrize("n", [32, 128, 1024])
def test_isotropic_features_give_one_over_d_at_any_n_without_the_diagonal_only(n):
    d, repeats = 64, 30 * 128 // n + 2
    draw = stream(n)
    found = torch.tensor(
        [
            [uniformity_loss(z, diagonal) for diagonal in (False, True)]
            for z in (torch.randn(n, d, generator=draw) for _ in range(repeats))
        ]
    ).mean(0)
    assert found[0].item() == pytest.approx(1 / d, rel=0.02)
    assert found[1].item() == pytest.approx(1 / n + (1 - 1 / n) / d, rel=0.02)


def test_one_over_the_diagonal_loss_is_the_participation_ratio():
    features = torch.randn(50, 8, generator=stream(), dtype=torch.float64)
    features = features * torch.linspace(0.1, 2, 8, dtype=torch.float64)
    z = features / features.norm(dim=1, keepdim=True)
    eigenvalues = torch.linalg.eigvalsh(z.T @ z)
    participation = eigenvalues.sum() ** 2 / eigenvalues.square().sum()
    found = 1 / uniformity_loss(features, diagonal=True)
    assert found.item() == pytest.approx(participation.item())


@pytest.mark.parametrize("diagonal", [False, True])
def test_lengths_rotations_and_order_do_not_count(diagonal):
    features = torch.randn(9, 4, generator=stream(), dtype=torch.float64)
    rotation, _ = torch.linalg.qr(torch.randn(4, 4, generator=stream(1)).double())
    lengths = torch.rand(9, 1, generator=stream(2), dtype=torch.float64) + 0.1
    other = ((features * lengths) @ rotation).flip(0)
    expected = uniformity_loss(features, diagonal)
    assert torch.allclose(uniformity_loss(other, diagonal), expected)


def test_one_image_makes_no_pair():
    with pytest.raises(ValueError, match="1 images make no pair; give 2 or more"):
        uniformity_loss(torch.ones(1, 3))


@pytest.mark.parametrize("diagonal", [False, True])
def test_the_loss_is_maes_and_lamb_times_the_uniformity_of_masked_class_tokens(
    diagonal, ramps: Dataset
):
    method = UMAE(ramps, stream(), lamb=0.3, diagonal=diagonal, **SMALL)
    batch = ramps.sample(8, stream(1))
    masking = method.masking(8, stream(2))
    features = method.features(batch, masking.ids_keep)["cls"]
    plain = MAE(ramps, stream(), **SMALL).loss(batch, stream(2))
    expected = plain + 0.3 * uniformity_loss(features, diagonal)
    assert torch.allclose(method.loss(batch, stream(2)), expected)


def test_in_half_precision_uniformity_is_computed_in_full(ramps: Dataset, monkeypatch):
    seen = []

    def uniformity(features, diagonal):
        seen.append((features, uniformity_loss(features, diagonal)))
        return seen[-1][1]

    monkeypatch.setattr("mae_bench.methods.u_mae.uniformity_loss", uniformity)
    method = UMAE(ramps, stream(), **SMALL)
    with torch.autocast("cpu", torch.bfloat16):
        method.loss(ramps.sample(8, stream(1)), stream(2))
    ((features, found),) = seen
    assert torch.equal(found, uniformity_loss(features))


def test_a_large_lamb_spreads_the_class_tokens(ramps: Dataset, train):
    found = {}
    for lamb in (0.0, 1.0):
        budget = {"steps": 40, "batch_size": 32}
        method = UMAE(ramps, stream(), lamb=lamb, **budget, **SMALL)
        train(method)
        features = method.features(ramps.sample(200, stream(3)))["cls"]
        found[lamb] = uniformity_loss(features).item()
    assert found[1.0] < 0.5 * found[0.0]


def test_a_negative_lamb_is_refused(ramps: Dataset):
    with pytest.raises(ValueError, match=r"lamb -0\.1 would pull features together"):
        UMAE(ramps, stream(), lamb=-0.1, **SMALL)
