"""All that hide patches draw one kind of mask, and refuse the same ones."""

from typing import Any, ClassVar

import pytest
import torch

from mae_bench.datasets import Batch, Dataset
from mae_bench.methods._masked_vit import MaskedViT
from mae_bench.methods.mask_contrastive import MaskContrastive
from mae_bench.methods.spectral_contrastive import SpectralContrastive
from mae_bench.models.masking import random_masking
from mae_bench.models.vit import patchify
from mae_bench.records import registry

# What each hides by default: ratio, unit, family.
DEFAULTS = {
    "autoencoder": (0.0, 0, "random"),
    "cross_mae": (0.75, 0, "random"),
    "data2vec": (0.75, 0, "block"),
    "denoising": (0.0, 0, "random"),
    "i_jepa": (0.75, 0, "block"),
    "m_mae": (0.75, 0, "random"),
    "mae": (0.75, 0, "random"),
    "mask_contrastive": (0.75, 0, "random"),
    "r2_mae": (0.75, 0, "random"),
    "sim_mim": (0.6, 0, "random"),
    "u_mae": (0.75, 0, "random"),
}


class Noise(Dataset):
    version: ClassVar[int] = 1
    channels, image_size, levels, num_classes = 3, 8, (), None

    def sample(self, n: int, generator: torch.Generator) -> Batch:
        return Batch(torch.randn(n, 3, 8, 8, generator=generator))


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def built(name: str, **settings: Any) -> MaskedViT:
    small = {"embed_dim": 8, "depth": 1, "num_heads": 2}
    method = registry.load("methods", name)(Noise(), rng(), **small, **settings)
    assert isinstance(method, MaskedViT)
    return method


def test_every_method_that_can_be_told_what_to_hide_has_its_defaults() -> None:
    found = {}
    for name in registry.names("methods"):
        kind = registry.load("methods", name)
        # Those that are on no board have worlds of their own.
        if issubclass(kind, MaskedViT) and kind.joins:
            known = registry.settings(kind)
            masks = ("mask_ratio", "mask_unit", "mask_family")
            found[name] = tuple(known[word] for word in masks)
    assert found == DEFAULTS


@pytest.mark.parametrize("name", sorted(DEFAULTS))
def test_masks_are_those_of_the_ratio_the_unit_and_the_family(name: str) -> None:
    method = built(name, patch_size=1, mask_ratio=0.5, mask_unit=2, mask_family="block")
    ours = method.masking(5, rng(2))
    plain = random_masking(5, 8, 0.5, rng(2), family="block", unit=2)
    assert torch.equal(ours.ids_keep, plain.ids_keep)
    assert torch.equal(ours.ids_masked, plain.ids_masked)
    fewer = method.masking_at(5, 0.75, rng(2))
    plain = random_masking(5, 8, 0.75, rng(2), family="block", unit=2)
    assert torch.equal(fewer.ids_keep, plain.ids_keep)


def test_without_a_unit_it_is_the_patch() -> None:
    assert built("mae", patch_size=4).mask_unit == 4
    assert built("mae", patch_size=2, mask_unit=4).mask_unit == 4


@pytest.mark.parametrize("name", sorted(DEFAULTS))
@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"mask_unit": 3}, "mask_unit 3 is no multiple of patch_size 2"),
        ({"mask_ratio": 1.0}, r"mask_ratio 1\.0 of 16 units"),
        ({"mask_family": "stripes"}, "mask_family 'stripes'; choose one of"),
    ],
)
def test_masks_that_cannot_be_drawn_are_refused_when_it_is_built(
    name: str, settings: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        built(name, **{"mask_ratio": 0.5} | settings)


def test_pixels_of_some_patches_are_the_images() -> None:
    method, images = built("mae"), Noise().sample(4, rng(1)).images
    masking = method.masking(4, rng(2))
    found, patches = method.patches(images, masking.ids_masked), patchify(images, 2)
    for n, ids in enumerate(method.asked(masking)):
        for m, patch in enumerate(ids):
            assert torch.equal(found[n, m], patches[n, patch])


def test_by_itself_it_prepares_the_images_and_their_masks() -> None:
    method, batch = built("sim_mim"), Noise().sample(4, rng(1))
    images, masking = method.prepare(batch, rng(2))
    assert images is batch.images
    assert torch.equal(masking.ids_keep, method.masking(4, rng(2)).ids_keep)


def test_mask_contrast_has_the_settings_of_both_its_bases() -> None:
    method = built("mask_contrastive", mask_ratio=0.5, mu=3.0, projector_dim=5)
    assert isinstance(method, SpectralContrastive)
    assert method.masking(1, rng()).ids_keep.shape == (1, 8)
    assert (method.mu, method.projector.out.out_features) == (3.0, 5)
    both = registry.settings(MaskedViT).keys() | registry.settings(SpectralContrastive)
    assert registry.settings(MaskContrastive).keys() == both


@pytest.mark.parametrize("name", sorted(DEFAULTS))
def test_crops_are_learned_from_where_they_are_asked_for(name: str) -> None:
    whole, parts = built(name), built(name, crops=0.2)
    batch = whole.dataset.sample(4, rng(1))
    seen = whole.prepare(batch, rng(2))[0]
    assert torch.equal(seen, batch.images)
    cropped, *_ = parts.prepare(batch, rng(2))
    assert cropped.shape == batch.images.shape
    assert not torch.equal(cropped, batch.images)
