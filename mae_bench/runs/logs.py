"""What one cell printed: a file beside the store, all attempts at the cell in turn.

Of a cell that is done in a process of its own, all that this process prints; and of
every attempt when and where it was, and how it ended, with the way to an error.
"""

from __future__ import annotations

import os
import platform
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from difflib import get_close_matches
from multiprocessing import parent_process
from pathlib import Path
from typing import IO

from mae_bench.records.schema import UsageError

# Bytes after which a log is begun anew.
LONGEST = 1_000_000


def path_of(store: Path, key: str) -> Path:
    """The log of a cell of a store."""
    return store / "logs" / f"{key}.log"


def find(store: Path, word: str) -> Path:
    """The log of the cell whose key begins so.

    Raises:
        UsageError: There is none, or several.
    """
    folder = store / "logs"
    keys = sorted(path.stem for path in folder.glob("*.log"))
    found = [key for key in keys if key.startswith(word.strip("[]").lower())]
    if not keys:
        raise UsageError(f"no logs in {folder}: nothing was measured with this --store")
    if not found:
        near = get_close_matches(word, keys, 1)
        hint = f"did you mean {near[0]}?" if near else f"it has {len(keys)} others"
        raise UsageError(f"no log of a cell {word!r} in {folder}; {hint}")
    if len(found) > 1:
        raise UsageError(f"{len(found)} cells begin with {word!r}: {', '.join(found)}")
    return path_of(store, found[0])


def move(source: Path, target: Path) -> None:
    """Add the logs of one store to those of another."""
    for path in sorted((source / "logs").glob("*.log")):
        text = path.read_text(encoding="utf-8", errors="replace")
        note(target, path.stem, text.rstrip())


def note(store: Path, key: str, line: str) -> None:
    """Add a line; a disk that does not take it costs no cell."""
    with suppress(OSError), _opened(store, key) as file:
        file.write(f"{line}\n")


@contextmanager
def kept(store: Path, key: str, name: str, device: str) -> Iterator[None]:
    """Keep what is printed inside, if this process is one that was started for it.

    Args:
        store: Folder of the store.
        key: Of the cell.
        name: Of the cell, in words.
        device: Where it is trained.
    """
    now = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S")
    place = f"{platform.node()}, {device}, process {os.getpid()}"
    note(store, key, f"-- {now} UTC, {place}: {name}")
    try:
        if parent_process() is None:
            yield
        else:
            with _printed_to(store, key):
                yield
    except BaseException:
        note(store, key, traceback.format_exc().rstrip())
        raise


def _opened(store: Path, key: str) -> IO[str]:
    path = path_of(store, key)
    path.parent.mkdir(parents=True, exist_ok=True)
    long = path.exists() and path.stat().st_size > LONGEST
    return path.open("w" if long else "a", encoding="utf-8")


@contextmanager
def _printed_to(store: Path, key: str) -> Iterator[None]:
    """What this process prints inside, in Python or below it, goes to the log."""
    try:
        file = _opened(store, key)
    except OSError:
        yield
        return
    before = {number: os.dup(number) for number in (1, 2)}
    with file:
        for number in before:
            os.dup2(file.fileno(), number)
        try:
            yield
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            for number, copy in before.items():
                os.dup2(copy, number)
                os.close(copy)
