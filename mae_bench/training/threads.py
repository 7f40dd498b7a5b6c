"""How many threads torch's arithmetic takes."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import torch


def as_told() -> None:
    """One thread in this process, unless its environment says ``OMP_NUM_THREADS``."""
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))


@contextmanager
def threads(count: int) -> Iterator[None]:
    """So many threads, for a while.

    Probes and oracles are of small matrices, and several threads lose there: each waits
    for the others, a hundred times as long where something else runs as well.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)
