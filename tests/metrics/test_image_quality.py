"""Image quality at its ends, against a hand's SSIM, and what the decoder is asked."""

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from mae_bench.datasets.gaussian_tree import GaussianTree
from mae_bench.methods.mae import MAE
from mae_bench.methods.random_init import RandomInit
from mae_bench.metrics import Skip
from mae_bench.metrics.image_quality import (
    compare,
    image_quality,
    reconstruct_unmasked,
)
from mae_bench.models.masking import Masking
from mae_bench.models.vit import patchify


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def images(n: int = 3, seed: int = 0, channels: int = 1) -> Tensor:
    return torch.randn(n, channels, 8, 8, generator=rng(seed))


def ssim_by_hand(x: np.ndarray, y: np.ndarray, span: float) -> float:
    """One channel, window by window, edges reflected."""
    c1, c2 = (0.01 * span) ** 2, (0.03 * span) ** 2
    x, y = (np.pad(image, 1, mode="reflect") for image in (x, y))
    found = []
    for row in range(8):
        for column in range(8):
            a, b = (i[row : row + 3, column : column + 3].ravel() for i in (x, y))
            mean = (2 * a.mean() * b.mean() + c1) / (a.mean() ** 2 + b.mean() ** 2 + c1)
            covariance = ((a - a.mean()) * (b - b.mean())).mean()
            found.append(mean * (2 * covariance + c2) / (a.var() + b.var() + c2))
    return float(np.mean(found))


@pytest.mark.parametrize("channels", [1, 2])
def test_it_is_the_formula_window_by_window(channels):
    y = images(channels=channels)
    x = 0.7 * y + 0.4 * images(seed=1, channels=channels)
    span = float(y.max() - y.min())
    pairs = zip(x.double().flatten(0, 1), y.double().flatten(0, 1), strict=True)
    by_hand = [ssim_by_hand(a.numpy(), b.numpy(), span) for a, b in pairs]
    found = compare(x, y)
    assert found["ssim"] == pytest.approx(np.mean(by_hand), abs=1e-9)
    mse = float((x.double() - y.double()).square().mean())
    assert found["mse"] == pytest.approx(mse)
    assert found["psnr"] == pytest.approx(10 * math.log10(span**2 / mse))


def test_its_ends():
    y = images(50)
    same = compare(y, y)
    assert (same["ssim"], same["mse"]) == (pytest.approx(1), 0)
    assert compare(images(50, seed=1), y)["ssim"] == pytest.approx(0, abs=0.05)
    # A negative has the same means and, with them far from 0, all else reversed.
    assert compare(20 - (y + 10), y + 10)["ssim"] < -0.5
    flat = compare(torch.zeros_like(y), y)
    assert abs(flat["ssim"]) < 0.1
    assert flat["mse"] == pytest.approx(1, abs=0.05)


def test_structure_and_pixels_are_two_things():
    y = images(50)
    shifted, blurred = compare(y + 0.8, y), compare(0.5 * y, y)
    # A constant costs pixels, and little structure where it is small to the range.
    assert shifted["psnr"] < blurred["psnr"]
    assert shifted["mse"] == pytest.approx(0.64)


def world() -> GaussianTree:
    return GaussianTree(rng())


def test_every_patch_is_encoded_and_every_patch_is_asked_for(monkeypatch):
    tree = world()
    method = MAE(tree, rng(1)).eval()
    batch = tree.sample(4, rng(2))

    def echo(_: MAE, tokens: Tensor, masking: Masking) -> Tensor:
        assert masking.ids_keep.tolist() == masking.ids_masked.tolist()
        assert tokens.shape[:2] == (4, 17)
        return patchify(batch.images, 2)

    monkeypatch.setattr(MAE, "forward_decoder", echo)
    assert torch.equal(reconstruct_unmasked(method, batch.images), batch.images)
    found = image_quality(method, tree, batch, rng())
    assert found["ssim"] == pytest.approx(1)


@pytest.mark.parametrize("settings", [{}, {"decoder_depth": 0}, {"bottleneck": 4}])
def test_it_is_the_decoders_answer_to_mask_tokens_at_all_places(settings):
    tree = world()
    method = MAE(tree, rng(1), **settings).eval()
    batch = tree.sample(6, rng(2))
    with torch.inference_mode():
        found = image_quality(method, tree, batch, rng())
        tokens = method.encoder(batch.images)
        ids = torch.arange(16).expand(6, -1)
        kept = ids
        if method.encoder.bottleneck:
            tokens, kept = method.encoder.readout(tokens)["code"][:, None], ids[:, :0]
        answer = method.decoder(tokens, kept, ids)
    error = (answer - patchify(batch.images, 2)).square().mean()
    assert found["mse"] == pytest.approx(float(error), rel=1e-5)


def test_what_has_no_pixels_to_show_is_skipped():
    tree = world()
    batch = tree.sample(4, rng(2))
    with pytest.raises(Skip, match="does not reconstruct"):
        image_quality(RandomInit(tree, rng()), tree, batch, rng())
    with pytest.raises(Skip, match="norm_pix_loss"):
        image_quality(MAE(tree, rng(), norm_pix_loss=True), tree, batch, rng())
