"""Places where something is made whole, swept of what killed processes left there."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from glob import escape
from pathlib import Path

# Seconds without a change after which nobody is writing any more: a file, a folder.
ABANDONED, LEFT = 3600.0, 86400.0


def sweep(folder: Path, pattern: str) -> None:
    """Remove what matches and has not changed for so long that nobody finishes it."""
    now = time.time()
    for path in folder.glob(pattern):
        with suppress(OSError):  # another run sweeps too
            whole = path.is_dir() and not path.is_symlink()
            changed = [p.lstat().st_mtime for p in (path, *path.rglob("*"))]
            if max(changed) > now - (LEFT if whole else ABANDONED):
                continue
            if whole:
                shutil.rmtree(path)
            else:
                path.unlink()


def sweep_of(path: Path) -> None:
    """Remove half-written files that were to become this one."""
    sweep(path.parent, f".{escape(path.name)}.????????")


@contextmanager
def folder_for(place: Path) -> Iterator[Path]:
    """A folder beside a place, of which something is made there; gone at the end."""
    sweep_of(place)
    with tempfile.TemporaryDirectory(dir=place.parent, prefix=f".{place.name}.") as new:
        yield Path(new)
