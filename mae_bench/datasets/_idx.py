"""The idx format of MNIST and its kin: a magic number, sizes, and the bytes."""

import gzip
import struct
import zlib
from math import prod
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mae_bench.records.schema import UsageError

BYTES = 0x08  # the code of unsigned bytes, the only type of these sets


def read_idx(folder: Path, name: str, axes: int) -> NDArray[np.uint8]:
    """The array of ``folder/name``, or of ``name.gz``.

    A file is two zero bytes, the code of the values' type, the number of axes, each
    axis' size as four bytes, the most significant first, and the values, rows last.

    Args:
        folder: Where it is.
        name: Of the file, such as ``train-images-idx3-ubyte``.
        axes: How many it must have.

    Raises:
        UsageError: It is not there, or is no idx file of that many axes, or has other
            than the bytes that its sizes say; the message names it.
    """
    path = next((p for p in (folder / name, folder / f"{name}.gz") if p.exists()), None)
    if path is None:
        raise UsageError(f"there is no {folder / name} and no {name}.gz; set path")
    try:
        raw = path.read_bytes()
        raw = gzip.decompress(raw) if path.suffix == ".gz" else raw
    except (OSError, EOFError, zlib.error) as error:
        raise UsageError(f"cannot read {path} ({error}); get it again") from error
    start = 4 + 4 * axes
    if len(raw) < start or raw[:4] != bytes((0, 0, BYTES, axes)):
        raise UsageError(
            f"{path} begins with {raw[:4].hex() or 'nothing'} and is no idx file of "
            f"bytes on {axes} axes, which begins with 000008{axes:02x}"
        )
    shape = struct.unpack(f">{axes}I", raw[4:start])
    if len(raw) - start != prod(shape):
        raise UsageError(
            f"{path} has {len(raw) - start} values where its sizes "
            f"{' x '.join(map(str, shape))} say {prod(shape)}; get it again"
        )
    return np.frombuffer(raw, np.uint8, offset=start).reshape(shape)
