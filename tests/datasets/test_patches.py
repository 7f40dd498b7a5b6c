"""Patches are found again in their sources, and those of two splits lie apart."""

import sys

import numpy as np
import pytest
import torch
from sklearn.datasets import load_sample_image

from mae_bench.datasets import patches as module
from mae_bench.datasets.patches import Patches, cells, source
from mae_bench.records.schema import UsageError

GREY = ["china", "flower", "astronaut", "chelsea", "coffee", "rocket", "camera"]
GREY += ["brick", "grass", "gravel"]


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def there() -> None:
    pytest.importorskip("skimage", reason="pip install mae_bench[images]")


def place(patch: np.ndarray, image: np.ndarray) -> list[tuple[int, int]]:
    """Where a patch [c k k] is in an image [h w c], by looking everywhere."""
    k = patch.shape[1]
    rows = patch.transpose(1, 2, 0)
    corners = image[: len(image) - k + 1, : image.shape[1] - k + 1]
    y, x = np.nonzero((corners == rows[0, 0]).all(-1))
    for i, j in np.ndindex(k, k):  # the places where all pixels so far are the patch's
        same = (image[y + i, x + j] == rows[i, j]).all(-1)
        y, x = y[same], x[same]
    return list(zip(y.tolist(), x.tolist(), strict=True))


def places(world: Patches, name: str, n: int) -> np.ndarray:
    """(class, y, x) of patches of a split, from their pixels alone."""
    batch = world.split(name, n, rng(7))
    mean, std = world._scale
    back = (batch.images * std + mean).round().to(torch.uint8).numpy()
    images = [source(name, world.channels == 3) for name in world.classes]
    found = []
    for y, patch in zip(batch.labels.tolist(), back, strict=True):
        where = place(patch, images[y])
        assert where, "the patch is nowhere in its source"
        if len(where) == 1:  # but for blank ones, a piece of sky
            found.append((y, *where[0]))
    return np.array(found)


@pytest.mark.parametrize("colour", [False, True])
def test_patches_of_two_splits_are_half_a_patch_apart(colour: bool) -> None:
    there()
    world = Patches(rng(), image_size=16, colour=colour)
    found = {name: places(world, name, 120) for name in module.NAMES}
    for one, two in (("train", "val"), ("train", "test"), ("val", "test")):
        a, b = found[one][:, None], found[two]
        apart = np.abs(a - b)[..., 1:].max(-1) - 16  # between edges, in pixels
        assert apart[a[..., 0] == b[..., 0]].min() >= 8
    assert len(np.unique(found["train"], axis=0)) > 100


def test_sources_are_as_likely_and_so_are_their_cells():
    there()
    world = Patches(rng(), image_size=8)
    batch = world.sample(20_000, rng(1))
    count = batch.labels.bincount(minlength=10)
    assert (count - 2000).abs().max() < 4.5 * 1800**0.5
    # Patches of one cell of the first class, by their place.
    mean, std = world._scale.flatten()
    back = (batch.images[batch.labels == 0, 0] * std + mean).round()
    windows = world._cells["train"][0, 0].unfold(0, 8, 1).unfold(1, 8, 1).flatten(0, 1)
    same = (windows.flatten(1).float()[:, None] == back.flatten(1)).all(2)
    # About 2000 over its cells fall on 81 places.
    expected = len(back) / int(world._counts["train"][0]) / len(windows)
    assert same.sum().item() / 81 == pytest.approx(expected, rel=1)


def test_seeds_deal_the_cells_anew_and_every_source_has_its_share():
    there()
    one, two = Patches(rng(0)), Patches(rng(1))
    assert one.fingerprint() != two.fingerprint() == Patches(rng(1)).fingerprint()
    assert list(one.classes) == GREY
    count = {name: one._counts[name].tolist() for name in module.NAMES}
    # Photographs of 427 x 640 have 5 x 8 cells of 64 a pitch of 80, squares 6 x 6.
    total = np.sum(list(count.values()), 0)
    assert total.tolist() == [40, 40, 36, 15, 35, 40, 36, 36, 36, 36]
    assert count["test"] == count["val"] == [8, 8, 7, 3, 7, 8, 7, 7, 7, 7]
    cells_of = [{c.numpy().tobytes() for c in w._cells["test"]} for w in (one, two)]
    assert cells_of[0] != cells_of[1]


def test_colours_are_the_photographs_own_and_grey_is_pillows():
    there()
    colour = source("china", True)
    np.testing.assert_array_equal(colour, load_sample_image("china.jpg"))
    grey = source("china", False)[..., 0].astype(float)
    weights = np.array([0.299, 0.587, 0.114])
    assert np.abs(grey - colour @ weights).max() <= 1
    world = Patches(rng(), colour=True)
    assert (world.channels, world.num_classes) == (3, 6)
    x = world.sample(4000, rng(1)).images
    assert x.mean((0, 2, 3)).abs().max() < 0.1
    assert (x.std((0, 2, 3)) - 1).abs().max() < 0.1


def test_cells_are_squares_with_gaps():
    y, x = np.indices((100, 60), np.uint8)
    found = cells(np.stack([y, x], -1), 8)
    # Pitch 20: starts 0, 20, 40, 60, 80 of 100 rows; 0, 20, 40 of 60 columns.
    assert found.shape == (15, 2, 16, 16)
    expected = [[row, column] for row in range(0, 100, 20) for column in (0, 20, 40)]
    assert found[:, :, 0, 0].tolist() == expected
    assert (found[:, :, -1, -1] - found[:, :, 0, 0] == 15).all()


def test_what_cannot_be_is_refused(monkeypatch):
    for size in (7, 33):
        with pytest.raises(ValueError, match=rf"image_size is {size}; choose in 8..32"):
            Patches(rng(), image_size=size)
    monkeypatch.setitem(sys.modules, "skimage", None)
    monkeypatch.setitem(sys.modules, "skimage.data", None)
    source.cache_clear()
    with pytest.raises(UsageError, match=r'pip install "mae_bench\[images\]"'):
        Patches(rng())
