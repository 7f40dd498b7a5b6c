"""Idx files that are written here byte by byte, and what is wrong with some."""

import gzip
import struct
from pathlib import Path

import numpy as np
import pytest

from mae_bench.datasets._idx import read_idx
from mae_bench.records.schema import UsageError

NAME = "train-images-idx3-ubyte"
PIXELS = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)
WHOLE = bytes((0, 0, 8, 3)) + struct.pack(">3I", 2, 3, 4) + PIXELS.tobytes()


@pytest.mark.parametrize("suffix", ["", ".gz"])
def test_bytes_are_read_as_they_were_written(tmp_path: Path, suffix: str) -> None:
    raw = gzip.compress(WHOLE) if suffix else WHOLE
    (tmp_path / f"{NAME}{suffix}").write_bytes(raw)
    found = read_idx(tmp_path, NAME, 3)
    np.testing.assert_array_equal(found, PIXELS)
    assert found.dtype == np.uint8


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (b"", "begins with nothing and is no idx file"),
        (WHOLE[:10], "begins with 00000803 and is no idx file"),
        (b"\x00\x00\x0d\x03" + WHOLE[4:], "begins with 00000d03"),
        (b"\x00\x00\x08\x01" + WHOLE[4:], r"begins with 00000801 .*with 00000803"),
        (b"\x89PNG" + WHOLE[4:], "begins with 89504e47"),
        (WHOLE[:-1], "has 23 values where its sizes 2 x 3 x 4 say 24"),
        (WHOLE + b"x", "has 25 values where its sizes 2 x 3 x 4 say 24"),
    ],
)
def test_what_is_no_whole_idx_file_is_named(
    tmp_path: Path, raw: bytes, message: str
) -> None:
    (tmp_path / NAME).write_bytes(raw)
    with pytest.raises(UsageError, match=message) as refused:
        read_idx(tmp_path, NAME, 3)
    assert str(tmp_path / NAME) in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    "raw", [b"no gzip", gzip.compress(WHOLE)[:-9], b""], ids=["none", "cut", "empty"]
)
def test_a_gzip_that_is_cut_short_or_none_is_named(tmp_path: Path, raw: bytes) -> None:
    (tmp_path / f"{NAME}.gz").write_bytes(raw)
    with pytest.raises(UsageError, match=rf"{NAME}\.gz") as refused:
        read_idx(tmp_path, NAME, 3)
    assert "\n" not in str(refused.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=rf"there is no {tmp_path}/{NAME} and no .*gz"):
        read_idx(tmp_path, NAME, 3)
    (tmp_path / NAME).mkdir()
    with pytest.raises(UsageError, match=rf"cannot read {tmp_path}/{NAME}"):
        read_idx(tmp_path, NAME, 3)
