"""SimMIM against a slow twin that follows the paper's forward pass literally."""

import pytest
import torch
from torch import Tensor

from mae_bench.datasets import Dataset
from mae_bench.methods.sim_mim import SimMIM
from mae_bench.models.vit import patchify, sincos_positions

SMALL = {"embed_dim": 16, "depth": 2, "num_heads": 4}


def stream(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


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
def test_loss_and_gradients_are_the_plain_sim_mims(settings, ramps: Dataset, agree):
    method, data = (
        SimMIM(ramps, stream(), **SMALL | settings),
        ramps.sample(6, stream(1)),
    )
    loss = method.loss(data, stream(2))
    plain = plain_loss(method, data.images, method.masking(6, stream(2)))
    agree(method, loss, plain)


def test_the_ratio_is_the_papers(ramps: Dataset):
    method = SimMIM(ramps, stream())
    assert (method.mask_ratio, method.mask_unit) == (0.6, 2)
    # 16 * 0.4 = 6.4 patches: 6 stay, as where the released code rounds what is hidden.
    assert method.masking(3, stream()).ids_masked.shape == (3, 10)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"bottleneck": 3}, "no head reads a code"),
        ({"pos_embed": False}, "mask tokens without a place are all alike"),
    ],
)
def test_bad_settings_are_refused_when_it_is_built(settings, message, ramps: Dataset):
    with pytest.raises(ValueError, match=message):
        SimMIM(ramps, stream(), **settings)
