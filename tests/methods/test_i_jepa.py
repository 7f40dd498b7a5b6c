"""I-JEPA's loss is what the loops say; with a leak into its targets it collapses."""

import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from mae_bench.datasets import Dataset
from mae_bench.methods import Reconstructs
from mae_bench.methods.i_jepa import IJEPA, latent_error
from mae_bench.records import registry

SMALL = {"embed_dim": 16, "depth": 1, "num_heads": 2, "decoder_embed_dim": 16}


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def tokens(n: int, m: int, d: int, seed: int = 0) -> tuple[Tensor, Tensor]:
    h = torch.randn(2, n, m, d, generator=rng(seed))
    return h[0], 2 * h[1] + 1


@pytest.mark.parametrize(("n", "m", "d"), [(1, 1, 2), (2, 3, 4), (3, 2, 7)])
def test_the_error_equals_the_loop(n: int, m: int, d: int) -> None:
    prediction, target = tokens(n, m, d)
    total = 0.0
    for told, true in zip(prediction.view(-1, d), target.view(-1, d), strict=True):
        mean = sum(true.tolist()) / d
        variance = sum((v - mean) ** 2 for v in true.tolist()) / d
        wanted = [(v - mean) / math.sqrt(variance + 1e-5) for v in true.tolist()]
        total += sum((a - b) ** 2 for a, b in zip(told.tolist(), wanted, strict=True))
    expected = total / (n * m * d)
    assert latent_error(prediction, target).item() == pytest.approx(expected, rel=1e-4)


def test_the_error_at_its_ends() -> None:
    _, target = tokens(3, 4, 16)
    mean = target.mean(-1, keepdim=True)
    std = target.std(-1, keepdim=True, correction=0)
    assert latent_error((target - mean) / std, target) < 1e-6
    nothing = torch.zeros_like(target)
    assert latent_error(nothing, target).item() == pytest.approx(1, abs=1e-4)
    assert latent_error(nothing, torch.full_like(target, 3.0)) == 0


def test_the_error_is_blind_to_place_and_size_of_a_target_and_to_order() -> None:
    prediction, target = tokens(4, 3, 8)
    loss = latent_error(prediction, target)
    torch.testing.assert_close(
        latent_error(prediction, 3 * target - 2), loss, atol=1e-4, rtol=1e-4
    )
    mixed = torch.randperm(4, generator=rng(2))
    torch.testing.assert_close(latent_error(prediction[mixed], target[mixed]), loss)


def test_the_error_has_the_gradient_of_its_differences() -> None:
    prediction, target = (v.double().requires_grad_() for v in tokens(2, 2, 3))
    assert torch.autograd.gradcheck(latent_error, (prediction, target))


@pytest.fixture
def make(stripes: Dataset) -> Callable[..., IJEPA]:
    return lambda **settings: IJEPA(stripes, rng(), **SMALL | settings)


def apart(method: IJEPA) -> IJEPA:
    """The same, with a copy that differs from what it is of."""
    with torch.no_grad():
        for weight in method.momentum_encoder.parameters():
            weight += 0.1 * torch.randn(weight.shape, generator=rng(4))
    return method


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"mask_family": "random", "mask_ratio": 0.5},
        {"patch_size": 1, "mask_unit": 2, "mask_family": "random"},
    ],
)
def test_the_loss_is_the_error_of_each_masked_patch_by_itself(settings, make) -> None:
    method = apart(make(**settings))
    batch = method.dataset.sample(3, rng())
    _, masking = method.prepare(batch, rng(3))
    seen = method.encoder(batch.images, masking.ids_keep)
    told = method.predictor(seen, masking.ids_keep, masking.ids_masked)
    whole = method.momentum_encoder(batch.images)
    errors = [
        latent_error(told[[n], m : m + 1], whole[[n], 1 + patch][None])
        for n, ids in enumerate(masking.ids_masked)
        for m, patch in enumerate(ids)
    ]
    expected = torch.stack(errors).mean()
    torch.testing.assert_close(method.loss(batch, rng(3)), expected)


def test_masked_pixels_have_no_say_in_what_is_told_but_have_in_the_targets(
    make,
) -> None:
    method = make()
    batch = method.dataset.sample(4, rng())
    images, masking = method.prepare(batch, rng(3))
    hidden = masking.mask.view(-1, 1, 4, 4)
    hidden = hidden.repeat_interleave(2, 2).repeat_interleave(2, 3)
    changed = images + 5 * hidden
    told = method.predict(images, masking)
    assert torch.equal(method.predict(changed, masking), told)
    assert not torch.allclose(method.targets(changed), method.targets(images))
    assert told.shape == (4, 12, 16)


def test_with_a_bottleneck_the_code_alone_tells(make) -> None:
    method = make(bottleneck=3)
    batch = method.dataset.sample(4, rng())
    images, masking = method.prepare(batch, rng(3))
    code = method.pooled(images, masking.ids_keep)
    assert code.shape == (4, 3)
    told = method.predictor(code[:, None], masking.ids_keep[:, :0], masking.ids_masked)
    torch.testing.assert_close(method.predict(images, masking), told)


class Leaky(IJEPA):
    """Targets by the encoder itself, with a gradient through them."""

    def forward(self, example):
        images, masking = example
        whole = self.encoder(images)[:, 1:]
        target = torch.stack(
            [h[i] for h, i in zip(whole, masking.ids_masked, strict=True)]
        )
        return self.compare(self.predict(images, masking), target)


def test_with_a_gradient_through_its_targets_all_features_become_one(
    stripes: Dataset, train
) -> None:
    method = Leaky(stripes, rng(), steps=60, batch_size=32, **SMALL)
    train(method)
    batch = stripes.sample(200, rng(11))
    assert method.pooled(batch.images).std(0).mean() < 0.05
    assert method.loss(batch, rng(5)) < 0.01


def test_it_masks_as_mae_does_and_reconstructs_no_pixels(make) -> None:
    settings = registry.settings(IJEPA)
    assert settings["mask_ratio"] == 0.75
    assert settings["mask_family"] == "block"
    assert not isinstance(make(), Reconstructs)


def test_a_predictor_without_blocks_is_refused(make) -> None:
    with pytest.raises(ValueError, match="decoder depth 0"):
        make(decoder_depth=0)
