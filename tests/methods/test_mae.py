"""MAE against a slow twin that hides nothing of the paper's forward pass."""

from collections.abc import Callable

import pytest
import torch

from mae_bench.datasets import Batch, Dataset
from mae_bench.methods.mae import MAE
from mae_bench.models.decoder import Decoder, LinearDecoder, PointwiseDecoder
from mae_bench.models.vit import patchify, sincos_positions
from mae_bench.records import registry

SMALL = {"embed_dim": 16, "depth": 2, "num_heads": 4, "decoder_embed_dim": 16}


def stream(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.fixture
def make(ramps: Dataset) -> Callable[..., MAE]:
    return lambda **settings: MAE(ramps, stream(), **SMALL | settings)


@pytest.fixture
def data(ramps: Dataset) -> Batch:
    return ramps.sample(6, stream(1))


def plain_loss(method: MAE, images, masking):
    """He et al., literally: everything embedded, decoded and predicted, then masked."""
    vit, net = method.encoder, method.decoder
    n, dim = len(images), vit.embed_dim
    patches = patchify(images, vit.patch_size)
    count = patches.shape[1]
    x = vit.patch_embed(patches) + sincos_positions(dim, vit.grid_size)
    x = torch.stack([x[i, masking.ids_keep[i]] for i in range(n)])
    x = torch.cat([vit.cls_token.expand(n, 1, dim), x], 1)
    for block in vit.blocks:
        x = block(x)
    x = net.embed(vit.norm(x))
    width = x.shape[-1]
    hidden = net.mask_token.expand(n, count + 1 - x.shape[1], width)
    y = torch.cat([x[:, 1:], hidden], 1)
    y = torch.stack([y[i, masking.ids_restore[i]] for i in range(n)])
    x = torch.cat([x[:, :1], y + sincos_positions(width, vit.grid_size)], 1)
    for block in net.blocks:
        x = block(x)
    pred = net.pred(net.norm(x))[:, 1:]
    target = patches
    if method.norm_pix_loss:
        mean, var = target.mean(-1, keepdim=True), target.var(-1, keepdim=True)
        target = (target - mean) / (var + 1.0e-6) ** 0.5
    loss = ((pred - target) ** 2).mean(-1)
    return (loss * masking.mask).sum() / masking.mask.sum()


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"norm_pix_loss": True, "mask_ratio": 0.5},
        {"mask_unit": 4, "decoder_depth": 2, "decoder_embed_dim": 8},
        {"patch_size": 1, "mask_unit": 2, "mask_family": "block", "mask_ratio": 0.6},
        {"patch_size": 4, "mask_family": "grid"},
    ],
)
def test_loss_and_gradients_are_the_plain_maes(settings, make, data, agree):
    method, images = make(**settings), data.images
    loss = method.loss(data, stream(2))
    plain = plain_loss(method, images, method.masking(len(images), stream(2)))
    agree(method, loss, plain)


def test_normalised_predictions_are_put_back_to_pixels(make, data):
    method = make(norm_pix_loss=True)
    prediction, target, masking = method.reconstruct(data, stream(2))
    tokens = method.forward_encoder(data.images, masking)
    raw = method.forward_decoder(tokens, masking)
    for n in range(len(data)):
        for m in range(raw.shape[1]):
            patch = target[n, m]
            expected = raw[n, m] * (patch.var() + 1e-6).sqrt() + patch.mean()
            assert torch.allclose(prediction[n, m], expected, atol=1e-6)


@pytest.mark.parametrize(
    "settings", [{"decoder_depth": 0}, {}, {"decoder_family": "pointwise"}]
)
def test_with_a_bottleneck_the_decoder_sees_the_code_alone(settings, make, data):
    method = make(bottleneck=3, **settings).double()
    masking = method.masking(len(data), stream(2))
    tokens = method.forward_encoder(data.images.double(), masking)
    code = method.encoder.readout(tokens)["code"]
    assert code.shape == (len(data), 3)
    expected = method.decoder(
        code[:, None], masking.ids_keep[:, :0], masking.ids_masked
    )
    found = method.forward_decoder(tokens, masking)
    assert torch.equal(found, expected)
    # Tokens that differ but have the same code give the same prediction.
    turned = torch.cat([-tokens[:, :1], tokens[:, 1:].flip(1)], 1)
    again = method.forward_decoder(turned, masking)
    assert torch.allclose(again, found, atol=1e-6)


@pytest.mark.parametrize(
    "settings",
    [
        {"bottleneck": 4},
        {"decoder_depth": 0},
        {"decoder_family": "pointwise", "bottleneck": 4},
    ],
)
def test_half_precision_changes_the_loss_by_its_rounding_only(settings, make, data):
    method = make(**settings)
    exact = method.loss(data, stream(2))
    with torch.autocast("cpu", torch.bfloat16):
        rounded = method.loss(data, stream(2))
    assert rounded.item() == pytest.approx(exact.item(), rel=0.02)
    rounded.backward()


def test_the_encoder_starts_the_same_whatever_decodes(make):
    one = make(decoder_depth=0).encoder.state_dict()
    two = make(decoder_depth=2, mask_ratio=0.5).encoder.state_dict()
    three = make(decoder_family="pointwise").encoder.state_dict()
    assert all(torch.equal(one[name], two[name]) for name in one)
    assert all(torch.equal(one[name], three[name]) for name in one)


def test_the_family_and_the_depth_choose_the_decoder(make):
    assert type(make().decoder) is Decoder
    assert type(make(decoder_depth=0).decoder) is LinearDecoder
    net = make(decoder_family="pointwise", decoder_depth=3, decoder_embed_dim=6).decoder
    assert type(net) is PointwiseDecoder
    assert len(net.blocks) == 3
    assert net.places.shape == (16, 6)


def test_its_settings_have_maes_defaults():
    settings = registry.settings(MAE)
    assert settings["mask_ratio"] == 0.75
    assert settings["norm_pix_loss"] is False
    assert settings["decoder_family"] == "transformer"
    assert {"mask_unit", "mask_family", "decoder_depth", "patch_size"} <= set(settings)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"patch_size": 1, "norm_pix_loss": True}, "patches of 1 value"),
        ({"decoder_family": "mlp"}, "decoder_family 'mlp'; choose 'transformer' or"),
        ({"decoder_family": "pointwise", "decoder_depth": 0}, "decoder depth 0"),
    ],
)
def test_bad_settings_are_refused_when_it_is_built(settings, message, make):
    with pytest.raises(ValueError, match=message):
        make(**settings)
