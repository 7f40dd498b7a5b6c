"""Which files are as they would be made again: by this code, of these files.

One is made anew if a file that it is made of has changed, or the package, or a library,
or the file itself. Nothing else can change it, for no other file is read.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from mae_bench.records.faults import HOUSE
from mae_bench.records.store import parse, write_atomically

LIBRARIES = ("matplotlib", "numpy", "pandas", "pillow", "scipy", "seaborn", "torch")
FILE = ".made.json"


@cache  # the code that runs does not change
def code() -> str:
    """The package and the libraries that compute and draw."""
    parts = [f"{name} {version(name)}" for name in LIBRARIES]
    files = sorted(p for p in HOUSE.rglob("*") if p.suffix in (".py", ".csv"))
    parts += [f"{p.relative_to(HOUSE).as_posix()} {content(p)}" for p in files]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def content(path: Path) -> str:
    """What is in a file; empty without one."""
    if not path.is_file():
        return ""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class Made:
    """The files of a folder, and what each was made of.

    Args:
        folder: Of the files; it need not exist.
    """

    def __init__(self, folder: Path) -> None:
        """Read what is known of them."""
        self.folder = folder
        self._content: dict[Path, str] = {}
        self._known: Mapping[str, Any] = {}
        self._now: dict[str, Any] = {}
        try:
            known = parse((folder / FILE).read_bytes())
            self._known = known if isinstance(known, dict) else {}
        except (OSError, ValueError):
            pass  # all are made

    def stamp(self, sources: Iterable[Path], *words: str) -> str:
        """What files are made of: others, words and the code."""
        parts = [code(), *words]
        for path in sources:
            if path not in self._content:
                self._content[path] = content(path)
            parts.append(f"{path.name} {self._content[path]}")
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()

    def kept(self, group: str, stamp: str) -> list[Path] | None:
        """Files that are made together, if they are as they would be."""
        known = self._known.get(group)
        if not isinstance(known, dict) or known.get("stamp") != stamp:
            return None
        files = {self.folder / name: of for name, of in known["files"].items()}
        if any(content(path) != of for path, of in files.items()):
            return None
        self._now[group] = known
        return [*files]

    def note(self, group: str, stamp: str, files: Iterable[Path]) -> None:
        """Keep of what files were made."""
        found = {path.name: content(path) for path in files}
        self._now[group] = {"stamp": stamp, "files": found}

    def write(self) -> None:
        """Write down what is known now.

        Raises:
            StoreError: The disk does not take it.
        """
        text = json.dumps(self._now, indent=1, sort_keys=True)
        write_atomically(self.folder / FILE, f"{text}\n".encode())
