"""SimMIM against a slow twin that follows the paper's forward pass literally."""

import pytest
import torch
from torch import Tensor

from mae_bench.datasets import Batch, Dataset
from mae_bench.methods import Reconstructs
from mae_bench.methods.mae import MAE
from mae_bench.methods.sim_mim import SimMIM
from mae_bench.models.vit import patchify, sincos_positions

SMALL = {"embed_dim": 16, "depth": 2, "num_heads": 4}


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
        return Batch(slope[:, :, :1] * line + slope[:, :, 1:] * line[:, None])


def stream(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def sim_mim(**settings) -> SimMIM:
    return SimMIM(Ramps(), stream(), **{**SMALL, **settings})


def batch(n: int = 6) -> Batch:
    return Ramps().sample(n, stream(1))


def plain_loss(method: SimMIM, images: Tensor, masking) -> Tensor:
    """Xie et al.: all are embedded, masked ones exchanged, all predicted, then masked.

    Image by image, patch by patch, in the order of the image.
    """
    vit, total, count = method.encoder, 0.0, 0
    positions = sincos_positions(vit.embed_dim, vit.grid_size)
    for patches, mask in zip(
        patchify(images, vit.patch_size), masking.mask, strict=True
    ):
        tokens = [
            method.mask_token if hidden else vit.patch_embed(patch)
            for patch, hidden in zip(patches, mask.bool(), strict=True)
        ]
        x = torch.cat([vit.cls_token[None], torch.stack(tokens) + positions])[None]
        for block in vit.blocks:
            x = block(x)
        predicted = method.head(vit.norm(x))[0, 1:]
        for p, hidden in enumerate(mask.bool()):
            if hidden:
                total = total + (predicted[p] - patches[p]).abs().sum()
                count += patches[p].numel()
    return total / count


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"mask_ratio": 0.25},
        {"patch_size": 1, "mask_unit": 2, "mask_family": "block"},
        {"patch_size": 4, "mask_ratio": 0.5},
    ],
)
def test_loss_and_gradients_are_the_plain_sim_mims(settings):
    method, images = sim_mim(**settings), batch().images
    loss = method.loss(Batch(images), stream(2))
    plain = plain_loss(method, images, method.masking(len(images), stream(2)))
    assert torch.allclose(loss, plain, atol=1e-5)
    named = dict(method.named_parameters())
    ours = torch.autograd.grad(loss, named.values())
    theirs = torch.autograd.grad(plain, named.values())
    for name, a, b in zip(named, ours, theirs, strict=True):
        assert torch.allclose(a, b, atol=1e-5), name


def test_masked_pixels_have_no_say_in_the_prediction():
    method, data = sim_mim(), batch()
    prediction, target, masking = method.reconstruct(data, stream(2))
    hidden = masking.mask.view(-1, 1, 4, 4)
    hidden = hidden.repeat_interleave(2, 2).repeat_interleave(2, 3)
    again, moved, _ = method.reconstruct(Batch(data.images + 5 * hidden), stream(2))
    assert torch.equal(again, prediction)
    assert torch.allclose(moved, target + 5)


def test_reconstruct_gives_the_masked_pixels_and_their_error_is_the_loss():
    method, data = sim_mim(), batch()
    assert isinstance(method, Reconstructs)
    prediction, target, masking = method.reconstruct(data, stream(2))
    assert torch.equal(method.asked(masking), masking.ids_masked)
    patches = patchify(data.images, 2)
    for n, ids in enumerate(masking.ids_masked):
        for m, patch in enumerate(ids):
            assert torch.equal(target[n, m], patches[n, patch])
    error = (prediction - target).abs().mean()
    assert torch.allclose(error, method.loss(data, stream(2)))


def test_the_ratio_is_the_papers_and_the_unit_is_apart_from_the_patch_size():
    method = sim_mim()
    assert (method.mask_ratio, method.mask_unit) == (0.6, 2)
    # 16 * 0.4 = 6.4 patches: 6 stay, as where the released code rounds what is hidden.
    assert method.masking(3, stream()).ids_masked.shape == (3, 10)
    mask = sim_mim(mask_unit=4).masking(3, stream()).mask.view(3, 2, 2, 2, 2)
    assert (mask == mask[:, :, :1, :, :1]).all()
    assert mask[0].sum() == 12


def test_its_encoder_starts_as_maes_and_its_features_are_the_houses():
    method, plain = sim_mim(), MAE(Ramps(), stream(), **SMALL)
    ids = method.masking(6, stream(2)).ids_keep
    for keep in (None, ids):
        ours, theirs = method.features(batch(), keep), plain.features(batch(), keep)
        assert all(torch.equal(ours[token], theirs[token]) for token in theirs)


def test_half_precision_changes_the_loss_by_its_rounding_only():
    method, data = sim_mim(), batch()
    exact = method.loss(data, stream(2))
    with torch.autocast("cpu", torch.bfloat16):
        rounded = method.loss(data, stream(2))
    assert rounded.item() == pytest.approx(exact.item(), rel=0.02)
    rounded.backward()


def test_it_learns_to_continue_a_ramp_and_does_not_collapse():
    method = sim_mim(mask_ratio=0.5, depth=1, steps=120)
    (optimizer,), (schedule,) = method.configure_optimizers()
    data, noise, losses = stream(1), stream(2), []
    for _ in range(method.steps):
        loss = method.loss(method.dataset.sample(64, data), noise)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule["scheduler"].step()
        losses.append(loss.item())
    # An absolute error: half of it is a quarter of the square.
    assert sum(losses[-10:]) < 0.6 * sum(losses[:10])
    features = method.features(method.dataset.sample(200, data))["mean"]
    assert features.std(0).mean() > 0.1


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"mask_unit": 3}, "mask_unit 3 is no multiple of patch_size 2"),
        ({"mask_ratio": 1.0}, r"mask_ratio 1\.0 of 16 units"),
        ({"mask_family": "stripes"}, "'stripes'; choose one of"),
        ({"bottleneck": 3}, "no head reads a code"),
        ({"pos_embed": False}, "mask tokens without a place are all alike"),
    ],
)
def test_bad_settings_are_refused_when_it_is_built(settings, message):
    with pytest.raises(ValueError, match=message):
        sim_mim(**settings)
