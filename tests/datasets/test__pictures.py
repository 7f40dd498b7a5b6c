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


def saved(image: Image.Image, kind: str, **options: object) -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("kind", ["PNG", "TIFF", "PPM"])
def test_16_bits_become_8_over_their_whole_range(kind: str, channels: int):
    deep = np.linspace(1000, 42000, 36).round().astype(np.uint16).reshape(6, 6)
    found = decode(saved(Image.fromarray(deep), kind), (channels, 6, 6))
    for plane in found:
        np.testing.assert_array_equal(plane, np.round(deep / 257))


def test_16_bits_big_end_first_are_read_as_such():
    deep = np.arange(36).reshape(6, 6) * 1800
    raw = b"P5 6 6 65535 " + deep.astype(">u2").tobytes()
    np.testing.assert_array_equal(decode(raw, (1, 6, 6))[0], np.round(deep / 257))


@pytest.mark.parametrize("mode", ["I", "F"])
def test_numbers_without_a_range_are_refused_by_name(mode: str, tmp_path: Path):
    path = tmp_path / "deep.tiff"
    Image.fromarray(pixels(0, 6, 6)).convert(mode).save(path)
    with pytest.raises(UsageError, match=rf"deep\.tiff \(mode {mode}: .*8 or 16 bits"):
        decode(path, (1, 6, 6))


# Mode -> a colour of it, and what that is in RGB.
COLOURS = {
    "1": (255, (255, 255, 255)),
    "L": (90, (90, 90, 90)),
    "RGB": ((200, 30, 70), (200, 30, 70)),
    "RGBX": ((200, 30, 70, 0), (200, 30, 70)),
    "CMYK": ((55, 225, 185, 0), (200, 30, 70)),
    "HSV": ((0, 255, 200), (200, 0, 0)),
    "YCbCr": ((90, 128, 128), (90, 90, 90)),
    "RGBA": ((200, 30, 70, 255), (200, 30, 70)),
    "LA": ((90, 255), (90, 90, 90)),
}


@pytest.mark.parametrize("mode", COLOURS)
def test_every_mode_of_pillow_is_the_colour_that_it_shows(mode: str):
    colour, wanted = COLOURS[mode]
    kind = "PNG" if mode in ("1", "LA", "RGBA") else "TIFF"
    if mode == "HSV":  # no format that Pillow writes
        found = module.plain(Image.new(mode, (6, 6), colour), None).convert("RGB")
        assert found.getpixel((0, 0)) == wanted
        return
    found = decode(saved(Image.new(mode, (6, 6), colour), kind), (3, 6, 6))
    assert np.abs(found[:, 3, 3].astype(int) - wanted).max() <= 1


def test_a_palette_is_its_colours():
    image = Image.fromarray(pixels(0, 6, 6, 3)).quantize(8)
    wanted = np.asarray(image.convert("RGB")).transpose(2, 0, 1)
    np.testing.assert_array_equal(decode(saved(image, "PNG"), (3, 6, 6)), wanted)


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
def test_what_is_transparent_is_white_whatever_lies_under_it(mode: str):
    image = Image.new("RGBA", (6, 6), (200, 30, 70, 0))
    options = {}
    if mode == "P":
        image, options = Image.new("P", (6, 6), 3), {"transparency": 3}
        image.putpalette(range(12))
    raw = saved(image if mode == "P" else image.convert(mode), "PNG", **options)
    assert (decode(raw, (3, 6, 6)) == 255).all()


@pytest.mark.parametrize("turned", range(1, 9))
def test_a_picture_stands_as_its_camera_says(turned: int):
    upright = pixels(0, 6, 6, 3)
    image = Image.fromarray(upright)
    exif = Image.Exif()
    exif[0x0112] = turned
    found = decode(saved(image, "PNG", exif=exif), (3, 6, 6)).transpose(1, 2, 0)
    turns = {
        1: lambda x: x,
        2: lambda x: x[:, ::-1],
        3: lambda x: x[::-1, ::-1],
        4: lambda x: x[::-1],
        5: lambda x: x.transpose(1, 0, 2),
        6: lambda x: np.rot90(x, -1),
        7: lambda x: x[::-1, ::-1].transpose(1, 0, 2),
        8: lambda x: np.rot90(x),
    }
    np.testing.assert_array_equal(found, turns[turned](upright))


@pytest.mark.parametrize("raw", [5, None, "x", [], [1, 2], {"bytes": None, "path": ""}])
def test_what_a_column_of_pictures_cannot_hold_is_refused_in_one_line(raw: object):
    with pytest.raises(UsageError, match=r"cannot read .*repair or remove") as found:
        decode(raw, (1, 2, 2))
    assert "\n" not in str(found.value)


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


def test_a_class_that_train_lacks_is_named(tmp_path: Path):
    raw, given = [b"abc"] * 60, ["train"] * 40 + ["test"] * 20
    labels = ["ant"] * 20 + ["bee"] * 20 + ["ant"] * 10 + ["cat"] * 10
    with pytest.raises(
        UsageError, match=r"train lacks: 'cat'; move some .* into train"
    ):
        write_once(tmp_path / "x", lambda: Pictures(labels, given, raw), (3, 4, 4), 0.1)


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
