"""A cell on another machine: what it needs goes along, what it made comes back.

A machine that sees the driver's store works in it, and nothing travels. Another one
works in a folder of its own, and what is in there comes back.
"""

from __future__ import annotations

import platform
import secrets
import tempfile
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from mae_bench.records.store import Record, Store, write_atomically
from mae_bench.runs import logs, provenance
from mae_bench.runs.engines import Engine, Launch, Outcomes
from mae_bench.runs.plan import Task
from mae_bench.runs.worker import Job, Outcome, Work

Files = dict[str, bytes]


@dataclass(frozen=True)
class Parcel:
    """Tasks that go along to another machine.

    Args:
        tasks: Of one job.
        together: Whether the work takes all of them at once.
        work: What does them.
        token: Name of a file in the store, by which it is known again.
        files: What the store has of their cells, by path.
    """

    tasks: tuple[Task, ...]
    together: bool
    work: Work
    token: str
    files: Files


@dataclass(frozen=True)
class Brought:
    """What comes back: what the work gave, and the files that it made elsewhere."""

    result: Any
    files: Files


def launcher(engine: Engine, store: Store) -> Launch:
    """An engine's ``launch`` for tasks: what they need goes along.

    Args:
        engine: Whose workers are on other machines.
        store: The driver's.

    Raises:
        StoreError: When outcomes come: the disk does not take what they bring.
    """

    def launch(
        jobs: Sequence[Job], work: Work, devices: Sequence[str], until: float
    ) -> Outcomes:
        with known_by(store) as token:
            parcels = [
                replace(job, payload=_packed(job.payload, work, token, engine.travels))
                for job in jobs
            ]
            with closing(engine.launch(parcels, work_away, devices, until)) as ends:
                for outcome in ends:
                    yield unpacked(outcome, store)

    return launch


def _packed(payload: Any, work: Work, token: str, travels: bool) -> Parcel:
    """What goes along for a job of ``work``: a task or several."""
    together = isinstance(payload, tuple)
    tasks: tuple[Task, ...] = payload if together else (payload,)
    folder = tasks[0].store.absolute()
    sent = tuple(replace(task, store=folder) for task in tasks)
    files = _files(folder, _keys(tasks)) if travels else {}
    return Parcel(sent, together, work, token, files)


def work_away(parcel: Parcel, device: str) -> Brought:
    """Do what came along, in the store if it is here (in a worker)."""
    here = parcel.tasks[0].store
    if (here / parcel.token).exists():
        return Brought(_done(parcel, here, device), {})
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as scratch:
        store = Path(scratch)
        _write(store, parcel.files)
        result = _done(parcel, store, device)
        made = _files(store, _keys(parcel.tasks))
    new = {name: it for name, it in made.items() if parcel.files.get(name) != it}
    return Brought(result, new)


def unpacked(outcome: Outcome, store: Store) -> Outcome:
    """An outcome as if the job had been done here, its files in the store.

    Raises:
        StoreError: The disk does not take them.
    """
    if not isinstance(outcome.result, Brought):
        return outcome
    _write(store.root, outcome.result.files)
    return replace(outcome, result=outcome.result.result)


@contextmanager
def known_by(store: Store) -> Iterator[str]:
    """A file in the store, for as long as it may be looked for.

    Raises:
        StoreError: The disk does not take it.
    """
    path = store.root / f".known.{secrets.token_hex(8)}"
    write_atomically(path, b"")
    try:
        yield path.name
    finally:
        path.unlink(missing_ok=True)


def _done(parcel: Parcel, store: Path, device: str) -> Any:
    origin = _origin()
    tasks = tuple(replace(t, store=store, provenance=origin) for t in parcel.tasks)
    return parcel.work(tasks if parcel.together else tasks[0], device)


@cache
def _origin() -> Record:
    """This machine's code, which need not be the driver's, and its name."""
    return provenance.code() | {"node": platform.node()}


def _keys(tasks: Iterable[Task]) -> list[str]:
    return [cell.key for task in tasks for cell in (*task.passing, task.cell)]


def _files(store: Path, keys: Collection[str]) -> Files:
    """What a store has of cells, their records last, for these imply the rest."""
    found = []
    for key in keys:
        cell = sorted((store / "cells" / key).glob("[!.]*"))
        found += [*cell, logs.path_of(store, key)]
    return {
        path.relative_to(store).as_posix(): path.read_bytes()
        for path in found
        if path.is_file()
    }


def _write(store: Path, files: Files) -> None:
    for name, content in files.items():
        write_atomically(store / name, content)
