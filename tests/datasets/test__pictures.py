"""Decoding against Pillow and loops; whole or not at all."""

import io
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from mae_bench.datasets import _pictures as module
from mae_bench.datasets._pictures import (
    Pictures,
    assign,
    channel_scale,
    checksum,
    cut,
    decode,
    need,
    write_once,
)
from mae_bench.records.schema import UsageError


def pixels(seed: int, *shape: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def some(n: int, labels: int = 2) -> Pictures:
    raw = [pixels(i, 4, 4, 3) for i in range(n)]
    return Pictures([i % labels for i in range(n)], [""] * n, raw)


def test_a_picture_of_the_right_size_is_not_touched():
    image = pixels(0, 6, 6, 3)
    np.testing.assert_array_equal(decode(image, (3, 6, 6)), image.transpose(2, 0, 1))


def test_the_centre_is_cut_out_of_a_long_picture():
    image = pixels(0, 6, 10, 3)
    centre = image[:, 2:8].transpose(2, 0, 1)
    np.testing.assert_array_equal(decode(image, (3, 6, 6)), centre)


def test_a_large_picture_is_scaled_as_pillow_does():
    image = pixels(0, 40, 40, 3)
    small = Image.fromarray(image).resize((8, 8), Image.Resampling.BICUBIC)
    found = decode(image, (3, 8, 8)).transpose(1, 2, 0)
    np.testing.assert_array_equal(found, np.asarray(small))


@pytest.mark.parametrize(("mode", "channels"), [("L", 3), ("RGB", 1), ("RGBA", 3)])
def test_channels_are_those_asked_for(mode, channels):
    image = Image.fromarray(pixels(0, 5, 5, 3)).convert(mode)
    stream = io.BytesIO()
    image.save(stream, "PNG")
    wanted = np.asarray(image.convert("L" if channels == 1 else "RGB"))
    found = decode({"bytes": stream.getvalue(), "path": "x.png"}, (channels, 5, 5))
    np.testing.assert_array_equal(found.transpose(1, 2, 0).squeeze(), wanted)


@pytest.mark.parametrize("value", [-1, 256, 0.5])
def test_pixels_that_are_no_bytes_are_refused(value):
    with pytest.raises(UsageError, match=r"no whole numbers in 0\.\.255"):
        decode([[value, 0], [0, 0]], (1, 2, 2))


def test_what_is_no_picture_is_refused_in_one_line():
    with pytest.raises(UsageError, match=r"picture of 3 bytes.*repair or remove") as e:
        decode(b"abc", (1, 2, 2))
    assert "\n" not in str(e.value)


def test_a_cut_takes_a_tenth_of_each_class_and_leaves_the_rest():
    labels = torch.tensor([0] * 40 + [1] * 7 + [3] * 104)
    order = torch.randperm(len(labels), generator=torch.Generator().manual_seed(1))
    parts = cut(order, labels, 2)
    counts = [labels[rows].bincount(minlength=4).tolist() for rows in parts]
    assert counts == [[4, 1, 0, 10], [4, 1, 0, 10], [32, 5, 0, 84]]
    assert sorted(torch.cat(parts).tolist()) == list(range(len(labels)))


def test_the_cut_is_always_the_same_and_in_no_order():
    labels = torch.arange(100) % 5
    one, two = assign([""] * 100, labels), assign([""] * 100, labels)
    assert all(torch.equal(one[name], two[name]) for name in one)
    assert (one["train"].diff() < 0).float().mean() > 0.3


def test_a_class_too_small_to_be_cut_is_refused():
    with pytest.raises(UsageError, match=r"a class has 2 pictures.*at least 3"):
        assign([""] * 12, torch.tensor([0] * 10 + [1] * 2))


def test_scale_and_checksum_are_those_of_the_whole(monkeypatch):
    images = pixels(0, 50, 3, 4, 4)
    images[:, 2] = 7
    whole = checksum([images])
    monkeypatch.setattr(module, "CHUNK", 7)
    mean, std = channel_scale(images)
    np.testing.assert_allclose(mean, images.mean((0, 2, 3)))
    np.testing.assert_allclose(std[:2], images.std((0, 2, 3))[:2])
    assert std[2] == 1
    assert checksum([images]) == whole != checksum([images[::-1]])


def test_of_many_at_once_one_decodes(tmp_path: Path):
    calls: list[int] = []

    def read() -> Pictures:
        calls.append(1)
        return some(30)

    with ThreadPoolExecutor(4) as pool:
        jobs = [
            pool.submit(write_once, tmp_path / "x", read, (3, 4, 4)) for _ in range(4)
        ]
    assert [job.result() for job in jobs] == [None] * 4
    assert len(calls) == 1
    assert np.load(tmp_path / "x" / "train.npy").shape == (22, 3, 4, 4)


def test_a_failure_half_way_leaves_nothing(tmp_path: Path):
    spoilt = some(30)
    spoilt.raw[20] = b"abc"
    with pytest.raises(UsageError, match="repair or remove"):
        write_once(tmp_path / "x", lambda: spoilt, (3, 4, 4))
    assert [p.name for p in tmp_path.iterdir()] == ["x.lock"]
    write_once(tmp_path / "x", lambda: some(30), (3, 4, 4))
    assert (tmp_path / "x" / "facts.json").exists()


def test_a_disk_that_is_too_small_is_named(tmp_path: Path, monkeypatch):
    class Disk:
        free = 100

    monkeypatch.setattr(module.shutil, "disk_usage", lambda _: Disk)
    with pytest.raises(UsageError, match=r"do not fit.*set cache"):
        write_once(tmp_path / "x", lambda: some(30), (3, 4, 4))


def test_what_is_not_installed_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(UsageError, match=r'pip install "mae_bench\[images\]"'):
        need("pyarrow")
