"""A process of ours ends with the one that started it, however that one ended."""

from __future__ import annotations

import os
from collections.abc import Callable
from multiprocessing import parent_process
from multiprocessing.connection import wait
from threading import Thread

BEAT = 0.5  # seconds


def hold(beat: Callable[[], None] = lambda: None) -> None:
    """Watch, from now on, the process that started this one.

    Nobody is told when a process is killed: it is seen by what only it held open.

    Args:
        beat: Called every ``BEAT`` seconds while it lives.
    """
    starter = parent_process()
    if starter is not None:
        Thread(target=_watch, args=(starter.sentinel, beat), daemon=True).start()


def _watch(sentinel: int, beat: Callable[[], None]) -> None:
    while not wait([sentinel], BEAT):
        beat()
    os._exit(1)
