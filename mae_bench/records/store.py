"""Cells on disk: written whole or not at all, checked when read, never trusted blindly.

A cell is a folder named by its key::

    <store>/cells/<key>/trained.json   status, reason, seconds, provenance, fingerprint
                        encoder.pt     the frozen weights
                        scores.json    the numbers, by metric, version and view
    <store>/quarantine/                what was unreadable or foreign, moved aside

A JSON file carries its cell's key and a checksum of its content; ``trained.json``
carries that of the weights. Whatever does not match is moved to quarantine.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import tempfile
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock

from mae_bench.records.schema import Status, digest
from mae_bench.records.scratch import sweep, sweep_of

Record = dict[str, Any]


class StoreError(OSError):
    """The store cannot be written; the message is one line and names the path."""


def parse(text: bytes) -> Any:
    """JSON.

    Raises:
        ValueError: It is none, or nested without end.
    """
    try:
        return json.loads(text)
    except RecursionError as error:
        raise ValueError("nested too deep") from error


def write_atomically(path: Path, content: bytes) -> None:
    """Write a file so that a reader sees the old or the new one, never half.

    Raises:
        StoreError: Read-only, full or missing disk; what was there is untouched.
    """
    scratch: str | None = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        sweep_of(path)
        handle, scratch = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(scratch, 0o644)  # mkstemp gives 0o600; results are for everyone
        os.replace(scratch, path)
    except OSError as error:
        if scratch is not None:
            Path(scratch).unlink(missing_ok=True)
        reason = error.strerror or str(error)
        raise StoreError(f"cannot write {path}: {reason}") from error


@dataclass(frozen=True)
class Trained:
    """How a cell's training ended.

    Args:
        status: ``ok`` or a failure.
        reason: Of the failure.
        train_seconds: Wall time of the training alone.
        fingerprint: Of the world's parameters.
        loss: Mean training loss over the last tenth of the steps; NaN-free.
        provenance: commit, dirty, versions, device.
        curve: Training loss at points evenly spaced in steps, each the mean since the
            point before; None if nothing was trained, or before curves were kept.
    """

    status: Status
    reason: str = ""
    train_seconds: float = 0.0
    fingerprint: str = ""
    loss: float | None = None
    provenance: Record | None = None
    curve: list[float] | None = None


class Store:
    """A folder of cells.

    Args:
        root: The folder; made when first written to.
        report: Told, in one line, of every file that is moved to quarantine; a
            logger by default.
    """

    def __init__(self, root: Path, report: Callable[[str], None] | None = None) -> None:
        self.root = root
        self.report = report or logging.getLogger(__name__).warning

    def _path(self, key: str, name: str) -> Path:
        return self.root / "cells" / key / name

    def unfinished(self, key: str) -> Path:
        """Where a long training keeps how far it is, until its end is saved."""
        return self.root / "unfinished" / f"{key}.ckpt"

    def cells(self) -> list[str]:
        """Keys of every cell that has a folder."""
        return sorted(p.name for p in (self.root / "cells").glob("*") if p.is_dir())

    def quarantined(self) -> list[Path]:
        """Files that were moved aside."""
        return sorted((self.root / "quarantine").glob("*"))

    def check_writable(self) -> None:
        """Raise ``StoreError`` now rather than after an hour of training."""
        probe = self.root / f".writable.{os.getpid()}"
        write_atomically(probe, b"")
        probe.unlink()

    def sweep(self) -> None:
        """Remove what killed processes left half written, in the cells."""
        sweep(self.root / "cells", "*/.*.????????")

    def save_trained(self, key: str, trained: Trained, encoder: bytes = b"") -> None:
        """Keep a training's end; the weights first, so that a record implies them."""
        if encoder:
            write_atomically(self._path(key, "encoder.pt"), encoder)
        record = vars(trained) | {"encoder": hashlib.sha256(encoder).hexdigest()}
        self._save(key, "trained.json", record)
        if trained.status != "timeout":  # with more time it goes on from there
            self.unfinished(key).unlink(missing_ok=True)

    def trained(self, key: str) -> Trained | None:
        """How the training ended, or None if it has not, or is not to be trusted."""
        record = self._load(key, "trained.json")
        if record is None:
            return None
        try:
            expected = record.pop("encoder")
            trained = Trained(**record)
        except (KeyError, TypeError):
            self._set_aside(key, "trained.json", "has foreign fields")
            return None
        if trained.status == "ok" and not self._encoder_is(key, expected):
            self._set_aside(key, "trained.json", "lost its weights")
            return None
        return trained

    def encoder(self, key: str) -> bytes:
        """The weights of a cell whose ``trained`` is ok."""
        return self._path(key, "encoder.pt").read_bytes()

    def add_scores(self, key: str, scores: Record) -> None:
        """Keep numbers of a cell beside those that it has; another run may add too."""
        with self._alone():
            self._save(key, "scores.json", self.scores(key) | scores)

    def forget_scores(self, key: str, names: Collection[str]) -> None:
        """Drop some numbers of a cell."""
        with self._alone():
            kept = {k: v for k, v in self.scores(key).items() if k not in names}
            self._save(key, "scores.json", kept)

    def scores(self, key: str) -> Record:
        """Numbers by metric, version and view; empty if there are none."""
        return self._load(key, "scores.json") or {}

    def forget(self, key: str) -> None:
        """Delete a cell's files."""
        for name in ("scores.json", "trained.json", "encoder.pt"):
            self._path(key, name).unlink(missing_ok=True)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """What is read and written inside, no other process writes meanwhile."""
        lock = self.root / ".lock"
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            with FileLock(lock):
                yield
        except StoreError:
            raise
        except OSError as error:
            reason = error.strerror or str(error)
            raise StoreError(f"cannot write {lock}: {reason}") from error

    def _encoder_is(self, key: str, expected: str) -> bool:
        path = self._path(key, "encoder.pt")
        content = path.read_bytes() if path.is_file() else b""
        if hashlib.sha256(content).hexdigest() == expected:
            return True
        self._set_aside(key, "encoder.pt", "is truncated or foreign")
        return False

    def _save(self, key: str, name: str, content: Record) -> None:
        record = {"cell": key, "checksum": digest(content), "content": content}
        text = json.dumps(record, indent=1, sort_keys=True)
        write_atomically(self._path(key, name), text.encode())

    def _load(self, key: str, name: str) -> Record | None:
        path = self._path(key, name)
        if not path.is_file():  # to open a pipe would wait for who writes into it
            self._set_aside(key, name, "is no file")
            return None
        try:
            record = parse(path.read_bytes())
            content: Record = record["content"]
            sound = record["cell"] == key and record["checksum"] == digest(content)
        except (ValueError, KeyError, TypeError):
            sound = False
        if sound:
            return content
        self._set_aside(key, name, "is not this cell's")
        return None

    def _set_aside(self, key: str, name: str, why: str) -> None:
        path = self._path(key, name)
        if not path.exists():
            return
        aside = self.root / "quarantine"
        taken = len(list(aside.glob(f"{key}-{name}*")))
        target = aside / f"{key}-{name}.{taken}"
        try:
            aside.mkdir(parents=True, exist_ok=True)
            os.replace(path, target)
        except OSError as error:
            raise StoreError(f"cannot move {path} aside: {error.strerror}") from error
        self.report(f"{path} {why}: moved to {target}; the cell will be run again")


class Untouched(Store):
    """A store that is only looked at: nothing is forgotten, or moved aside."""

    def forget(self, key: str) -> None:
        """Keep it."""

    def forget_scores(self, key: str, names: Collection[str]) -> None:
        """Keep them."""

    def _set_aside(self, key: str, name: str, why: str) -> None:
        """Leave it where it is."""
