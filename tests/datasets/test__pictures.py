"""Decoding against Pillow and loops; whole or not at all."""

import io
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mae_bench.datasets import _pictures as module
from mae_bench.datasets._finite import collect
from mae_bench.datasets._pictures import (
    Pictures,
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


def test_what_cannot_be_cut_is_said_before_anything_is_decoded(tmp_path: Path):
    raw = [b"abc"] * 41
    few = Pictures([0] * 40 + [1], [""] * 41, raw)
    with pytest.raises(UsageError, match="images of a class: 1;"):
        write_once(tmp_path / "x", lambda: few, (3, 4, 4), 0.1)
    assert [p.name for p in tmp_path.iterdir()] == ["x.lock"]


def test_what_is_written_is_what_is_collected_in_memory(tmp_path: Path):
    pictures = some(120)
    write_once(tmp_path / "x", lambda: pictures, (3, 4, 4), 0.1)
    raw = np.stack(pictures.raw).transpose(0, 3, 1, 2)
    expected = collect(np.ascontiguousarray(raw), np.arange(120) % 2)
    for name, array in expected._asdict().items():
        np.testing.assert_array_equal(np.load(tmp_path / "x" / f"{name}.npy"), array)


def test_of_many_at_once_one_decodes(tmp_path: Path):
    calls: list[int] = []

    def read() -> Pictures:
        calls.append(1)
        return some(120)

    with ThreadPoolExecutor(4) as pool:
        jobs = [
            pool.submit(write_once, tmp_path / "x", read, (3, 4, 4), 0.1)
            for _ in range(4)
        ]
    assert [job.result() for job in jobs] == [None] * 4
    assert len(calls) == 1
    assert np.load(tmp_path / "x" / "images.npy").shape == (120, 3, 4, 4)


def test_a_failure_half_way_leaves_nothing(tmp_path: Path):
    spoilt = some(120)
    spoilt.raw[20] = b"abc"
    with pytest.raises(UsageError, match="repair or remove"):
        write_once(tmp_path / "x", lambda: spoilt, (3, 4, 4), 0.1)
    assert [p.name for p in tmp_path.iterdir()] == ["x.lock"]
    write_once(tmp_path / "x", lambda: some(120), (3, 4, 4), 0.1)
    assert (tmp_path / "x" / "facts.json").exists()


def test_a_disk_that_is_too_small_is_named(tmp_path: Path, monkeypatch):
    class Disk:
        free = 100

    monkeypatch.setattr(module.shutil, "disk_usage", lambda _: Disk)
    with pytest.raises(UsageError, match=r"do not fit.*set cache"):
        write_once(tmp_path / "x", lambda: some(120), (3, 4, 4), 0.1)


def test_what_is_not_installed_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(UsageError, match=r'pip install "mae_bench\[images\]"'):
        need("pyarrow")
