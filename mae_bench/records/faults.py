"""What is wrong with a part, in one line: its file, and the cause."""

from __future__ import annotations

import importlib
import traceback
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

from mae_bench.records.schema import TRACKS, UsageError

HOUSE = Path(__file__).parent.parent
# Room -> what its parts are, or are derived from, and how one becomes it. An oracle is
# its file.
KINDS = {
    "theories": ("Theory", "make it by Theory(...)"),
    "predictions": ("Form", "derive it from mae_bench.predictions.Form"),
    "experiments": ("Experiment", "make it by Experiment(...)"),
    "methods": ("Method", "derive it from mae_bench.methods.Method"),
    "datasets": ("Dataset", "derive it from mae_bench.datasets.Dataset"),
    "metrics": ("Metric", "write its facts on it by @metric(...)"),
}
_TOLD = ", ".join(TRACKS)
CLASSES = ("predictions", "methods", "datasets")


class WrongPart(UsageError):
    """A part that cannot be used; the message names its file and the cause."""


def in_one_line(error: BaseException) -> str:
    """Kind and first line of an error.

    >>> in_one_line(KeyError("x"))
    "KeyError: 'x'"
    """
    told = error.msg if isinstance(error, SyntaxError) else str(error)
    first = (told.strip().splitlines() or [""])[0]
    return f"{type(error).__name__}: {first}"


def shown(path: Path) -> str:
    """A file as it is named to the user: one of ours from the package on."""
    ours = path.is_relative_to(HOUSE)
    return str(path.relative_to(HOUSE.parent)) if ours else str(path)


def of_import(error: BaseException, place: str = "") -> str | None:
    """File, line and cause of what a part raised while it was imported.

    Args:
        error: What was raised.
        place: The part that was asked for.

    Returns:
        The inmost file of ours that was being imported; if there is none, the place
        and the file that was; None without a place: the error is another's.
    """
    frames = traceback.extract_tb(error.__traceback__)
    lines = [(Path(f.filename), f.lineno) for f in frames if f.name == "<module>"]
    if isinstance(error, SyntaxError) and error.filename:
        lines.append((Path(error.filename), error.lineno))
    ours = [(path, line) for path, line in lines if path.is_relative_to(HOUSE)]
    if not ours and not place:
        return None
    start = [] if ours else [place]
    inmost = [f"{shown(path)}, line {line}" for path, line in (ours or lines)[-1:]]
    return ": ".join([*start, *inmost, in_one_line(error)])


def named(room: str, name: str, module: ModuleType) -> Any:
    """The part of a file: what bears the file's name, in the case of its kind.

    Raises:
        WrongPart: There is no such name in it.
    """
    if room not in KINDS:
        return module
    known = vars(module)
    word = _word(room, name)
    if room in CLASSES:
        found = [k for k in known if k.lower() == word.lower()]
        found = [k for k in found if isinstance(known[k], type)]
    else:
        found = [word] if word in known else []
    if found:
        return known[found[0]]
    kind = "class" if room in CLASSES else KINDS[room][0]
    mine = [k for k, v in known.items() if _is_of(room, v, module)]
    raise WrongPart(
        f"{shown(HOUSE / room / name)}.py: no {kind} {word} in it, as its name asks; "
        f"it has {', '.join(mine) or 'none'}"
    )


def _word(room: str, name: str) -> str:
    """What a part of a file is called."""
    if room in CLASSES:
        return name.title().replace("_", "")
    return name if room == "metrics" else name.upper()


def _is_of(room: str, value: Any, module: ModuleType) -> bool:
    """Whether it could be a part of its room."""
    if room in CLASSES:
        return isinstance(value, type) and value.__module__ == module.__name__
    return isinstance(value, _kind(room))


def _kind(room: str) -> type:
    kind: type = getattr(importlib.import_module(f"mae_bench.{room}"), KINDS[room][0])
    return kind


def of_part(room: str, name: str, part: Any) -> Iterator[str]:
    """What keeps a part from being one of its room; nothing if all is well."""
    if room not in KINDS:
        return
    kind, word = _kind(room), getattr(part, "__name__", name)
    fits = isinstance(part, type) and issubclass(part, kind)
    if not (fits if room in CLASSES else isinstance(part, kind)):
        yield f"{word} is no {kind.__name__}; {KINDS[room][1]}"
        return
    if room == "metrics" and part.id != name:
        yield f"its function is called {part.id}; call both alike"
    if room in ("methods", "datasets"):
        yield from _of_class(part)
    if room == "methods" and getattr(part, "track", None) not in TRACKS:
        yield f"{word} has no track; write track: ClassVar[Track], one of {_TOLD}"


def _of_class(part: Any) -> Iterator[str]:
    """What a method's or dataset's class lacks."""
    for name in dir(part):
        member = getattr(part, name, None)
        if getattr(member, "__isabstractmethod__", False):
            yield f"{part.__name__} has no {name}(...); define it"
    if not isinstance(getattr(part, "version", None), int):
        yield f"{part.__name__} has no version; write version: ClassVar[int] = 1"
    if isinstance(part.joins, str):
        yield f"its joins is a text; write joins = ({part.joins!r},)"
