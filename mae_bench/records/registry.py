"""Folder -> parts: the file is the registration, and the stem is the id.

Listing reads file names and docstrings only, so it imports nothing heavy. Parts that
live outside the package join by the entry-point groups ``mae_bench.methods``,
``mae_bench.datasets``, ``mae_bench.metrics`` and ``mae_bench.theories``.
"""

from __future__ import annotations

import ast
import importlib
import inspect
from collections.abc import Callable
from difflib import get_close_matches
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any

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
_HOUSE = Path(__file__).parent.parent


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


@cache  # scanning the installed packages takes milliseconds
def _guests(room: str) -> dict[str, EntryPoint]:
    return {point.name: point for point in entry_points(group=f"mae_bench.{room}")}


def names(room: str) -> list[str]:
    """Ids of a room's parts, sorted, guests included.

    >>> "gaussian_tree" in names("datasets")
    True
    """
    files = {p.stem for p in (_HOUSE / room).glob("[!_]*.py")}
    return sorted(files | set(_guests(room)))


def summary(room: str, name: str) -> str:
    """First line of a part's docstring, read without importing it."""
    path = _HOUSE / room / f"{name}.py"
    if not path.exists():
        return f"from {_guests(room)[name].value}"
    text = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    return text.partition("\n")[0]


def load(room: str, name: str) -> Any:
    """Import a part.

    Raises:
        UnknownName: No part of this room has that name.
    """
    guests = _guests(room)
    if name in guests:
        return guests[name].load()
    if name not in names(room):
        raise UnknownName(room, name)
    module = importlib.import_module(f"mae_bench.{room}.{name}")
    if room in ("theories", "experiments"):
        return getattr(module, name.upper())
    if room == "metrics":
        return getattr(module, name)
    if room == "oracles":
        return module
    word = name.replace("_", "")
    return next(v for k, v in vars(module).items() if k.lower() == word)


def guests(room: str) -> tuple[Any, ...]:
    """The parts that live outside the package."""
    return tuple(point.load() for point in _guests(room).values())


def id_of(part: type) -> str:
    """Id of a method's or dataset's class.

    A guest is known by its entry point; any other class by its file.
    """
    value = f"{part.__module__}:{part.__qualname__}"
    for room in ("methods", "datasets"):
        for name, point in _guests(room).items():
            if point.value == value:
                return name
    return part.__module__.rpartition(".")[2]


def settings(part: Callable[..., Any]) -> dict[str, Setting]:
    """Keyword-only settings of a class with their defaults.

    Follows ``**keywords`` up the class's bases, as the constructors do.

    Raises:
        ValueError: A setting without a default.
    """
    found: dict[str, Setting] = {}
    for base in inspect.getmro(part) if isinstance(part, type) else ():
        if "__init__" not in vars(base):
            continue
        signature = inspect.signature(vars(base)["__init__"]).parameters.values()
        for p in signature:
            if p.kind is p.KEYWORD_ONLY:
                if p.default is p.empty:
                    raise ValueError(f"setting {p.name!r} of {base} has no default")
                found.setdefault(p.name, p.default)
        if not any(p.kind is p.VAR_KEYWORD for p in signature):
            break
    return found
