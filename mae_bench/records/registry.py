"""Folder -> parts: the file is the registration, and the stem is the id.

Listing reads file names and docstrings only, so it imports nothing heavy. Parts that
live outside the package join by the entry-point groups ``mae_bench.methods``,
``mae_bench.datasets``, ``mae_bench.metrics``, ``mae_bench.experiments`` and
``mae_bench.theories``.
"""

from __future__ import annotations

import ast
import importlib
import inspect
from collections.abc import Callable, Iterator, Sequence
from difflib import get_close_matches
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any

from mae_bench.records import faults
from mae_bench.records.faults import HOUSE, WrongPart
from mae_bench.records.schema import Setting, UsageError

ROOMS = (
    "theories",
    "predictions",
    "experiments",
    "methods",
    "datasets",
    "oracles",
    "metrics",
)


class UnknownName(UsageError):
    """A name that no part has; the message gives the nearest known ones."""

    def __init__(self, room: str, name: str) -> None:
        """Say what is unknown and what is near."""
        kind = room.removesuffix("s") if room != "theories" else "theory"
        near = nearest(name, names(room))
        super().__init__(f"unknown {kind} {name!r}; did you mean {near}?")


def nearest(name: str, known: list[str]) -> str:
    """The known names most like ``name``; all of them if none is.

    >>> nearest("digit", ["digits", "identity"])
    'digits, identity'
    """
    return ", ".join(get_close_matches(name, known, n=3, cutoff=0.4) or known)


# Parts in which no fault was found.
_sound: dict[tuple[str, str], Any] = {}


@cache  # scanning the installed packages takes milliseconds
def _installed() -> tuple[EntryPoint, ...]:
    """Entry points of all rooms."""
    found = entry_points()
    ours = [group for group in found.groups if group.startswith("mae_bench.")]
    return tuple(point for group in ours for point in found.select(group=group))


@cache
def _guests(room: str) -> dict[str, tuple[EntryPoint, ...]]:
    """Entry points by name; more than one where packages chose the same name."""
    found: dict[str, dict[str, EntryPoint]] = {}
    for point in [p for p in _installed() if p.group == f"mae_bench.{room}"]:
        found.setdefault(point.name, {})[point.value] = point
    return {name: tuple(points.values()) for name, points in found.items()}


def guests(room: str) -> list[str]:
    """Ids of the parts that live outside the package."""
    return sorted(_guests(room))


def _file(room: str, name: str) -> Path:
    return HOUSE / room / f"{name}.py"


def names(room: str) -> list[str]:
    """Ids of a room's parts, sorted, guests included.

    >>> "gaussian_tree" in names("datasets")
    True
    """
    folder = HOUSE / room
    return sorted({*_stems(folder, folder.stat().st_mtime_ns), *_guests(room)})


@cache  # a grid asks for names thousands of times
def _stems(folder: Path, changed: int) -> frozenset[str]:
    """Ids of the parts that a folder has since it was changed."""
    del changed
    return frozenset(p.stem for p in folder.glob("[!_]*.py"))


def summary(room: str, name: str) -> str:
    """First line of a part's docstring, read without importing it."""
    path = _file(room, name)
    if not path.exists():
        return f"from {_guests(room)[name][0].value}"
    try:
        text = ast.get_docstring(ast.parse(path.read_bytes())) or ""
    except (SyntaxError, ValueError) as error:
        return f"cannot be read: {faults.in_one_line(error)}"
    return text.partition("\n")[0]


def check(room: str, wanted: Sequence[str]) -> None:
    """Refuse wrong names, before anything is imported.

    Raises:
        UnknownName: A name that no part has.
    """
    known = names(room)
    for name in wanted:
        if name not in known:
            raise UnknownName(room, name)


def load(room: str, name: str) -> Any:
    """Import a part.

    Raises:
        UnknownName: No part of this room has that name.
        WrongPart: It cannot be imported, or is no part of this room.
    """
    place, points = _place(room, name, (HOUSE / room).stat().st_mtime_ns)
    try:
        part = points[0].load() if points else _own(room, name)
    except WrongPart:
        raise
    except (Exception, SystemExit) as error:  # a part may raise anything
        raise WrongPart(faults.of_import(error, place)) from error
    if _sound.get((room, name)) is not part:
        for fault in _faults(room, name, part):
            raise WrongPart(f"{place}: {fault}")
        _sound[room, name] = part
    return part


@cache  # a grid asks for its parts thousands of times
def _place(room: str, name: str, changed: int) -> tuple[str, tuple[EntryPoint, ...]]:
    """Where a part is, in words, and its entry points, if it is a guest.

    Raises:
        UnknownName: No part of this room has that name.
        WrongPart: Two have.
    """
    del changed
    check(room, [name])
    path, points = _file(room, name), _guests(room).get(name, ())
    places = [faults.shown(path)] if path.exists() else []
    places += [f"entry point {name} = {point.value}" for point in points]
    if len(places) > 1:
        raise WrongPart(f"{' and '.join(places)} are both {room}/{name}; rename one")
    return places[0], points


def load_all(room: str, wanted: Sequence[str] | None = None) -> dict[str, Any]:
    """Parts by id; all of the room if none is named.

    Raises:
        UnknownName: A name that no part has.
    """
    return {name: load(room, name) for name in wanted or names(room)}


def _own(room: str, name: str) -> Any:
    module = importlib.import_module(f"mae_bench.{room}.{name}")
    return faults.named(room, name, module)


def _faults(room: str, name: str, part: Any) -> Iterator[str]:
    yield from faults.of_part(room, name, part)
    if room not in ("methods", "datasets"):
        return
    try:
        settings(part)
    except WrongPart as fault:
        yield str(fault)
    for base, p in _parameters(part):
        if p.kind is p.POSITIONAL_OR_KEYWORD and p.default is not p.empty:
            # It would be missing in the key of a cell.
            yield f"setting {p.name!r} of {base} may be positional; write * before it"
    known = names("experiments")
    for stray in [name for name in part.joins if name not in known]:
        yield f"joins {stray!r}, no experiment; did you mean {nearest(stray, known)}?"


def id_of(part: type) -> str:
    """Id of a method's or dataset's class.

    A guest is known by its entry point; any other class by its file.
    """
    for room in ("methods", "datasets"):
        for name in _guests(room):
            if load(room, name) is part:
                return name
    return part.__module__.rpartition(".")[2]


def settings(part: Callable[..., Any]) -> dict[str, Setting]:
    """Keyword-only settings of a class with their defaults.

    Follows ``**keywords`` up the class's bases, as the constructors do.

    Raises:
        WrongPart: A setting without a default, or whose default is no scalar.
    """
    return dict(_settings(part))


@cache  # every cell of a grid asks for those of its method and world
def _settings(part: Callable[..., Any]) -> dict[str, Setting]:
    found: dict[str, Setting] = {}
    for base, p in _parameters(part):
        if p.kind is p.KEYWORD_ONLY:
            if p.default is p.empty:
                raise WrongPart(f"setting {p.name!r} of {base} has no default")
            if not isinstance(p.default, str | int | float | None):
                raise WrongPart(
                    f"setting {p.name!r} of {base} is by default no text, number, "
                    "truth value or None"
                )
            found.setdefault(p.name, p.default)
    return found


def _parameters(part: Callable[..., Any]) -> Iterator[tuple[str, inspect.Parameter]]:
    """The parameters that a class is built by, each with the name of the base."""
    for base in inspect.getmro(part) if isinstance(part, type) else ():
        if "__init__" not in vars(base):
            continue
        signature = inspect.signature(vars(base)["__init__"]).parameters.values()
        yield from ((base.__name__, p) for p in signature)
        if not any(p.kind is p.VAR_KEYWORD for p in signature):
            break
