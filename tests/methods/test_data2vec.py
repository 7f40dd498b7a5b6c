"""data2vec's targets are the mean of normalised blocks; else it is I-JEPA."""

from collections.abc import Callable

import pytest
import torch

from mae_bench.datasets import Dataset
from mae_bench.methods.data2vec import Data2Vec, top_blocks
from mae_bench.models.recording import record
from mae_bench.models.vit import ViT
from mae_bench.records import registry

SMALL = {"embed_dim": 16, "depth": 1, "num_heads": 2, "decoder_embed_dim": 16}


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def vit(depth: int = 3, cls_token: bool = True) -> ViT:
    sizes = {"image_size": 8, "channels": 1, "patch_size": 2, "embed_dim": 8}
    return ViT(rng(), depth=depth, num_heads=2, cls_token=cls_token, **sizes)


@pytest.mark.parametrize("K", [1, 2, 3])
@pytest.mark.parametrize("cls_token", [True, False])
def test_the_target_is_the_mean_of_what_leaves_the_last_blocks(K, cls_token) -> None:
    net = vit(cls_token=cls_token)
    images = torch.randn(2, 1, 8, 8, generator=rng(1))
    with record(net.blocks) as seen:
        net(images)
    found = top_blocks(net, images, K)
    assert found.shape == (2, 16, 8)
    for n in range(2):
        for patch in range(16):
            total = torch.zeros(8)
            for layer in seen.tokens[-K:]:
                token = layer[n, patch + cls_token]
                variance = token.var(correction=0)
                total += (token - token.mean()) / (variance + 1e-5).sqrt()
            torch.testing.assert_close(found[n, patch], total / K, atol=1e-5, rtol=1e-4)


def test_each_token_of_the_target_has_mean_0_and_at_most_unit_variance() -> None:
    images = torch.randn(5, 1, 8, 8, generator=rng(1))
    one, three = top_blocks(vit(), images, 1), top_blocks(vit(), images, 3)
    for found in (one, three):
        torch.testing.assert_close(
            found.mean(-1), torch.zeros(5, 16), atol=1e-5, rtol=0
        )
    assert (one.var(-1, correction=0) - 1).abs().max() < 1e-3
    assert three.var(-1, correction=0).max() < 1


@pytest.fixture
def make(stripes: Dataset) -> Callable[..., Data2Vec]:
    return lambda **settings: Data2Vec(stripes, rng(), **SMALL | settings)


@pytest.mark.parametrize("beta", [0.5, 2.0])
def test_the_loss_is_the_smooth_l1_error_in_loops(beta: float, make) -> None:
    method = make(depth=2, beta=beta)
    with torch.no_grad():
        for weight in method.momentum_encoder.parameters():
            weight += 0.1 * torch.randn(weight.shape, generator=rng(4))
    batch = method.dataset.sample(3, rng())
    images, masking = method.prepare(batch, rng(3))
    told = method.predict(images, masking)
    targets = top_blocks(method.momentum_encoder, images, 2)
    errors = []
    for n, ids in enumerate(masking.ids_masked):
        for m, patch in enumerate(ids):
            for gap in (told[n, m] - targets[n, patch]).abs().tolist():
                near = gap <= beta
                errors.append(gap**2 / beta / 2 if near else gap - beta / 2)
    expected = sum(errors) / len(errors)
    assert method.loss(batch, rng(3)).item() == pytest.approx(expected, rel=1e-5)


def test_its_targets_are_of_as_many_blocks_as_it_is_told_all_by_default(
    make, stripes: Dataset
) -> None:
    images = stripes.sample(3, rng()).images
    for top_k, K in ((0, 3), (1, 1), (2, 2), (3, 3)):
        method = make(depth=3, top_k=top_k)
        expected = top_blocks(method.momentum_encoder, images, K)
        assert torch.equal(method.targets(images), expected)


def test_its_settings_are_i_jepas_and_its_own() -> None:
    settings = registry.settings(Data2Vec)
    assert (settings["top_k"], settings["beta"]) == (0, 2.0)
    assert {"mask_ratio", "momentum", "decoder_depth"} <= set(settings)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"top_k": 2}, "top_k 2 of 1 blocks"),
        ({"top_k": -1}, "top_k -1 of 1 blocks"),
        ({"depth": 0}, "top_k 0 of 0 blocks"),
        ({"beta": 0.0}, r"beta 0\.0 must be above 0"),
    ],
)
def test_bad_settings_are_refused_when_it_is_built(settings, message, make) -> None:
    with pytest.raises(ValueError, match=message):
        make(**settings)
