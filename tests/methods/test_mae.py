"""MAE against a slow twin that hides nothing of the paper's forward pass."""

import pytest
import torch

from mae_bench.datasets import Batch, Dataset
from mae_bench.methods.mae import MAE
from mae_bench.models.decoder import Decoder, LinearDecoder, PointwiseDecoder
from mae_bench.models.vit import patchify, sincos_positions
from mae_bench.records import registry

SMALL = {"embed_dim": 16, "depth": 2, "num_heads": 4, "decoder_embed_dim": 16}


class Ramps(Dataset):
    """Images of rank two, which a visible corner determines."""

    version = 1
    channels = 1
    image_size = 8
    levels = ()
    num_classes = None

    def sample(self, n, generator):
        slope = torch.randn(n, 1, 2, 1, generator=generator)
        line = torch.linspace(-1, 1, 8)
        images = slope[:, :, :1] * line + slope[:, :, 1:] * line[:, None]
        return Batch(images)


def stream(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def mae(**settings) -> MAE:
    return MAE(Ramps(), stream(), **{**SMALL, **settings})


def batch(n: int = 6) -> Batch:
    return Ramps().sample(n, stream(1)).rows(slice(None))


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
def test_loss_and_gradients_are_the_plain_maes(settings):
    method, images = mae(**settings), batch().images
    loss = method.loss(Batch(images), stream(2))
    plain = plain_loss(method, images, method.masking(len(images), stream(2)))
    assert torch.allclose(loss, plain, atol=1e-5)
    named = dict(method.named_parameters())
    ours = torch.autograd.grad(loss, named.values())
    theirs = torch.autograd.grad(plain, named.values())
    for name, a, b in zip(named, ours, theirs, strict=True):
        assert torch.allclose(a, b, atol=1e-5), name


def test_reconstruct_gives_the_masked_pixels_and_their_error_is_the_loss():
    method, data = mae(), batch()
    prediction, target, masking = method.reconstruct(data, stream(2))
    patches = patchify(data.images, 2)
    for n, ids in enumerate(masking.ids_masked):
        for m, patch in enumerate(ids):
            assert torch.equal(target[n, m], patches[n, patch])
    error = (prediction - target).square().mean()
    assert torch.allclose(error, method.loss(data, stream(2)))


def test_normalised_predictions_are_put_back_to_pixels():
    method, data = mae(norm_pix_loss=True), batch()
    prediction, target, masking = method.reconstruct(data, stream(2))
    tokens = method.forward_encoder(data.images, masking)
    raw = method.forward_decoder(tokens, masking)
    for n in range(len(data)):
        for m in range(raw.shape[1]):
            patch = target[n, m]
            expected = raw[n, m] * (patch.var() + 1e-6).sqrt() + patch.mean()
            assert torch.allclose(prediction[n, m], expected, atol=1e-6)


def test_masked_pixels_have_no_say_in_the_prediction():
    method, data = mae(), batch()
    prediction, _, masking = method.reconstruct(data, stream(2))
    hidden = masking.mask.view(-1, 1, 4, 4)
    hidden = hidden.repeat_interleave(2, 2).repeat_interleave(2, 3)
    changed = Batch(data.images + 5 * hidden)
    again, target, _ = method.reconstruct(changed, stream(2))
    assert torch.equal(again, prediction)
    assert target.min() > 1


@pytest.mark.parametrize(
    "settings", [{"decoder_depth": 0}, {}, {"decoder_family": "pointwise"}]
)
def test_with_a_bottleneck_the_decoder_sees_the_code_alone(settings):
    method, data = mae(bottleneck=3, **settings).double(), batch()
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


def test_the_mask_unit_is_apart_from_the_patch_size():
    pixels = []
    for patch_size in (1, 2, 4):
        mask = mae(patch_size=patch_size, mask_unit=4).masking(5, stream(2)).mask
        side = 8 // patch_size
        square = mask.view(5, side, side).repeat_interleave(patch_size, 1)
        pixels.append(square.repeat_interleave(patch_size, 2))
    assert torch.equal(pixels[0], pixels[1])
    assert torch.equal(pixels[0], pixels[2])
    assert mae(patch_size=4).mask_unit == 4


def test_the_loss_is_drawn_from_its_generator_alone():
    method, data = mae(), batch()
    before = torch.random.get_rng_state()
    assert method.loss(data, stream(2)) == method.loss(data, stream(2))
    assert method.loss(data, stream(2)) != method.loss(data, stream(3))
    assert torch.equal(torch.random.get_rng_state(), before)


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"bottleneck": 4},
        {"decoder_depth": 0},
        {"decoder_family": "pointwise", "bottleneck": 4},
    ],
)
def test_half_precision_changes_the_loss_by_its_rounding_only(settings):
    method, data = mae(**settings), batch()
    exact = method.loss(data, stream(2))
    with torch.autocast("cpu", torch.bfloat16):
        rounded = method.loss(data, stream(2))
    assert rounded.item() == pytest.approx(exact.item(), rel=0.02)
    rounded.backward()


def test_the_encoder_starts_the_same_whatever_decodes():
    one = mae(decoder_depth=0).encoder.state_dict()
    two = mae(decoder_depth=2, mask_ratio=0.5).encoder.state_dict()
    three = mae(decoder_family="pointwise").encoder.state_dict()
    assert all(torch.equal(one[name], two[name]) for name in one)
    assert all(torch.equal(one[name], three[name]) for name in one)


def test_the_family_and_the_depth_choose_the_decoder():
    assert type(mae().decoder) is Decoder
    assert type(mae(decoder_depth=0).decoder) is LinearDecoder
    net = mae(decoder_family="pointwise", decoder_depth=3, decoder_embed_dim=6).decoder
    assert type(net) is PointwiseDecoder
    assert len(net.blocks) == 3
    assert net.places.shape == (16, 6)


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"decoder_depth": 0},
        {"bottleneck": 4},
        {"decoder_family": "pointwise", "bottleneck": 4},
    ],
)
def test_it_learns_to_continue_a_ramp(settings):
    method = mae(mask_ratio=0.5, steps=150, **settings)
    (optimizer,), (schedule,) = method.configure_optimizers()
    data, noise, losses = stream(1), stream(2), []
    for _ in range(method.steps):
        loss = method.loss(method.dataset.sample(64, data), noise)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule["scheduler"].step()
        losses.append(loss.item())
    assert sum(losses[-10:]) < 0.35 * sum(losses[:10])


def test_its_settings_have_maes_defaults():
    settings = registry.settings(MAE)
    assert settings["mask_ratio"] == 0.75
    assert settings["norm_pix_loss"] is False
    assert settings["decoder_family"] == "transformer"
    assert {"mask_unit", "mask_family", "decoder_depth", "patch_size"} <= set(settings)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"mask_unit": 3}, "mask_unit 3 is no multiple of patch_size 2"),
        ({"mask_unit": 6}, "unit of 3 patches a side does not divide a grid of 4"),
        ({"mask_ratio": 1.0}, r"mask_ratio 1\.0 of 16 units"),
        ({"mask_family": "stripes"}, "'stripes'; choose one of"),
        ({"mask_family": "grid", "mask_ratio": 0.5}, "cannot keep 8 of 16 units"),
        ({"patch_size": 1, "norm_pix_loss": True}, "patches of 1 value"),
        ({"decoder_family": "mlp"}, "decoder_family 'mlp'; choose 'transformer' or"),
        ({"decoder_family": "pointwise", "decoder_depth": 0}, "decoder depth 0"),
    ],
)
def test_bad_settings_are_refused_when_it_is_built(settings, message):
    with pytest.raises(ValueError, match=message):
        mae(**settings)
