"""Mask contrast hides what MAE would hide, twice, and finds what the parts share."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from mae_bench.datasets import Batch, Dataset
from mae_bench.methods.mae import MAE
from mae_bench.methods.mask_contrastive import MaskContrastive
from mae_bench.methods.spectral_contrastive import (
    into_ball,
    spectral_contrastive_loss,
)
from mae_bench.metrics.alignment import alignment
from mae_bench.models.masking import FIXED


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


SMALL = {"embed_dim": 16, "depth": 1, "projector_hidden_dim": 32, "projector_dim": 16}


@pytest.mark.parametrize(
    "masks",
    [
        {},
        {"mask_ratio": 0.5, "mask_unit": 4},
        {"mask_family": "grid"},
        {"mask_family": "block", "patch_size": 1, "mask_unit": 2},
    ],
)
def test_its_masks_are_maes_and_the_second_is_another_draw(
    masks: dict, stripes: Dataset
) -> None:
    method, mae = (kind(stripes, rng(), **masks) for kind in (MaskContrastive, MAE))
    batch = stripes.sample(50, rng(1))
    images, first, second = method.prepare(batch, rng(2))
    assert torch.equal(images, batch.images)
    stream = rng(2)
    assert torch.equal(first, mae.masking(50, stream).ids_keep)
    assert torch.equal(second, mae.masking(50, stream).ids_keep)
    same = (first.sort(1).values == second.sort(1).values).all(1)
    assert same.float().mean() < 0.5


def test_the_loss_of_a_batch_is_that_of_each_visible_part_projected_by_itself(
    stripes: Dataset,
) -> None:
    method, batch = MaskContrastive(stripes, rng(), mu=0.5), stripes.sample(6, rng())
    images, *parts = method.prepare(batch, rng(3))
    z1, z2 = (into_ball(method.projector(method.pooled(images, k)), 0.5) for k in parts)
    expected = spectral_contrastive_loss(z1, z2)
    torch.testing.assert_close(method.loss(batch, rng(3)), expected)


def test_images_of_other_processes_are_negatives_too(
    stripes: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    method = MaskContrastive(stripes, rng(), **SMALL)
    batch = stripes.sample(8, rng(1))
    whole = method.prepare(batch, rng(2))
    ours, theirs = ([x[half] for x in whole] for half in (slice(4), slice(4, 8)))
    rest = [
        into_ball(method.projector(method.pooled(theirs[0], k)), 10.0)
        for k in theirs[1:]
    ]
    others = iter(rest)
    monkeypatch.setattr(
        "mae_bench.methods.mask_contrastive.gather",
        lambda rows: torch.cat([rows, next(others)]),
    )
    joined = method(tuple(ours))
    monkeypatch.undo()
    torch.testing.assert_close(joined, method(whole))


def test_patches_that_both_masks_hide_have_no_say(stripes: Dataset) -> None:
    method = MaskContrastive(stripes, rng(), **SMALL)
    images, first, second = method.prepare(stripes.sample(6, rng(1)), rng(2))
    seen = torch.zeros(6, 16).scatter_(1, first, 1.0).scatter_(1, second, 1.0)
    shown = seen.view(-1, 1, 4, 4).repeat_interleave(2, 2).repeat_interleave(2, 3)
    assert 0.2 < shown.mean() < 0.6
    changed = images + 5 * (1 - shown)
    assert torch.equal(
        method((changed, first, second)), method((images, first, second))
    )


@pytest.mark.parametrize("family", FIXED)
def test_masks_that_are_always_the_same_are_refused(
    family: str, stripes: Dataset
) -> None:
    with pytest.raises(ValueError, match="shows the same patches twice"):
        MaskContrastive(stripes, rng(), mask_family=family)


def told(
    method: MaskContrastive, batch: Batch, content: Callable[[Tensor, Tensor], float]
) -> tuple[float, float, float]:
    """What features of visible parts say of the content, of their image, and at all.

    Share of their variance between the four contents; cosine of two parts of an image
    beyond that of two images; mean standard deviation.
    """
    images, first, second = method.prepare(batch, rng(5))
    with torch.no_grad():
        h, other = (method.pooled(images, ids) for ids in (first, second))
    gap = alignment(h, other)["cosine_gap"]
    return content(h, batch.labels), gap.item(), h.std(0).mean().item()


def test_it_learns_what_the_visible_parts_share_and_does_not_collapse(
    stripes: Dataset, train, content
) -> None:
    method = MaskContrastive(stripes, rng(), steps=100, **SMALL)
    seen = stripes.sample(256, rng(11))
    known, gap, _ = told(method, seen, content)
    train(method)
    learned, aligned, spread = told(method, seen, content)
    assert learned > known + 0.15
    assert aligned > gap + 0.1
    assert spread > 0.3
