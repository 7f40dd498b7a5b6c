"""What a part is, and whether this machine can run the suite."""

from __future__ import annotations

import importlib.util
import inspect
import math
import platform
import re
from dataclasses import dataclass, fields, is_dataclass
from difflib import get_close_matches
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from shutil import get_terminal_size
from textwrap import fill
from typing import Any

from mae_bench.commands import claims
from mae_bench.records import registry
from mae_bench.records.folders import PUBLISHED_TIER, own, shown
from mae_bench.records.machine import cores
from mae_bench.records.schema import UsageError
from mae_bench.records.store import Store, StoreError

Facts = dict[str, Any]
FEW = 4  # names that are near a wrong one
LIBRARIES = ("torch", "lightning", "torchmetrics", "kornia", "scikit-learn", "pandas")


@dataclass(frozen=True)
class Check:
    """One thing that must be right, and how it is."""

    name: str
    ok: bool
    found: str

    def __str__(self) -> str:
        """One line."""
        return f"{'ok ' if self.ok else 'BAD'}  {self.name}: {self.found}"


def describe(
    name: str, results: Path | None = None, tier: str = PUBLISHED_TIER
) -> Facts:
    """A part's kind, text, settings and declared facts; or all of one prediction.

    Args:
        name: Its id, or ``room/id`` where several rooms have one of that name; of a
            prediction ``theory/number``, or the number.
        results: Folder of the verdicts; by default one's own, or else the published.
        tier: Says which folder, if none is named.

    Raises:
        UsageError: Nothing has that name, or several predictions have.
    """
    room, _, stem = name.rpartition("/")
    for candidate in [room] if room else registry.ROOMS:
        if candidate in registry.ROOMS and stem in registry.names(candidate):
            facts = {"room": candidate, "id": stem} | _facts(candidate, stem)
            facts |= _reproduced(candidate, stem, results)
            return facts | _judged(candidate, stem, shown(results, tier))
    known = [*registry.ROOMS, *registry.names(claims.ROOM)]
    if room and room.removeprefix(f"{claims.ROOM}/") not in known:
        rooms = ", ".join(registry.ROOMS)
        raise UsageError(f"no room {room!r}; one of {rooms}, or a theory")
    if found := claims.facts(name, results, tier):
        return found
    near = ", ".join(_near(room, stem, shown(results, tier)))
    raise UsageError(f"no part or prediction {name!r}; did you mean {near}?")


def _reproduced(room: str, name: str, results: Path | None) -> Facts:
    """Of an experiment that others have numbers of, what was measured beside them."""
    if room != "experiments" or not registry.load(room, name).published:
        return {}
    from mae_bench.verdicts.reproduced import lines

    return {"published": lines(name, results or own("paper"))}


def _judged(room: str, name: str, folder: Path) -> Facts:
    """Of a theory, which of its predictions have which verdict."""
    found: dict[str, list[str]] = {}
    path = folder / "verdicts.csv"
    for row in claims.rows_of(path) if room == claims.ROOM else ():
        if row["theory"] == name:
            number = row["prediction"].rpartition("/")[2]
            found.setdefault(row["verdict"].replace("_", " "), []).append(number)
    said = {word: ", ".join(numbers) for word, numbers in found.items()}
    return {"verdicts": said, "from": str(path)} if said else {}


def _near(room: str, stem: str, folder: Path) -> list[str]:
    """The few names that are most like one, of its room or theory if it names one."""
    if room in registry.ROOMS:
        pool = {n.lower(): f"{room}/{n}" for n in registry.names(room)}
    else:
        rooms = () if room else registry.ROOMS
        pool = {n.lower(): n for r in rooms for n in registry.names(r)}
    for key in claims.ids(folder):
        theory, _, number = key.rpartition("/")
        if room.removeprefix(f"{claims.ROOM}/") in ("", theory):
            pool.setdefault(number.lower(), key)
    return [pool[k] for k in get_close_matches(stem.lower(), pool, n=FEW, cutoff=0.0)]


def _facts(room: str, name: str) -> Facts:
    part = registry.load(room, name)
    if isinstance(part, type):
        text = inspect.getdoc(part) or ""
        return {"text": text, "settings": registry.settings(part)}
    if is_dataclass(part):
        shown = {f.name: _plain(getattr(part, f.name)) for f in fields(part)}
        text = (room == "metrics" and part.__doc__) or registry.summary(room, name)
        return {"text": inspect.cleandoc(text), **shown}
    return {"text": inspect.getdoc(part) or ""}


def _plain(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)  # JSON has no word for it
    if isinstance(value, type):
        return registry.id_of(value)
    if isinstance(value, dict):
        return {key: _plain(v) for key, v in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(v) for v in value]
    if hasattr(value, "claim"):
        return f"{value.claim} [{value.standing}; margin {value.form.margin:g}]"
    if hasattr(value, "reason"):
        return f"{value.experiment.id}, {value.metric.id}: {value.reason}"
    if hasattr(value, "id"):
        return value.id
    if callable(value) or is_dataclass(value):
        return getattr(value, "__name__", type(value).__name__)
    return value


def render(found: Facts, width: int | None = None) -> str:
    """The facts as indented lines.

    Args:
        found: See ``describe``.
        width: Of a line, in letters; the terminal's by default.
    """
    width = width or get_terminal_size().columns
    lines = [f"{found['room']}/{found['id']}", "", *found["text"].splitlines(), ""]
    for key, value in found.items():
        if key in ("room", "id", "text") or value in ({}, [], ""):
            continue
        if isinstance(value, dict):
            lines.append(f"{key}:")
            lines += [f"  {k}: {v}" for k, v in value.items()]
        elif isinstance(value, list) and any(" " in str(v) for v in value):
            lines.append(f"{key}:")
            lines += [f"  - {v}" for v in value]
        elif isinstance(value, list):
            lines.append(f"{key}: {', '.join(map(str, value))}")
        else:
            lines.append(f"{key}: {value}")
    return "\n".join(_folded(line, width) for line in lines).rstrip()


def _folded(line: str, width: int) -> str:
    """A line that is too long as several, between words."""
    if len(line) <= width:
        return line
    indent = re.match(r"[ -]*", line)
    hang = " " * (2 + len(indent[0] if indent else ""))
    return fill(
        line,
        width,
        subsequent_indent=hang,
        break_long_words=False,
        break_on_hyphens=False,
    )


def examine(store: Store) -> list[Check]:
    """Installation, machine and store, each as a check."""
    return [
        *(_library(name) for name in LIBRARIES),
        _torchvision(),
        _processor(),
        _disk(store),
        _cells(store),
    ]


def _library(name: str) -> Check:
    try:
        return Check(name, True, version(name))
    except PackageNotFoundError:
        return Check(name, False, "not installed; pip install mae_bench")


def _torchvision() -> Check:
    if importlib.util.find_spec("torchvision") is None:
        return Check("torchvision", True, "absent, as it should be")
    try:
        importlib.import_module("torchvision")
    except Exception as error:
        found = f"broken ({error}); it takes lightning down: pip uninstall torchvision"
        return Check("torchvision", False, found)
    return Check("torchvision", True, "present and working; not needed")


def _processor() -> Check:
    import torch

    usable = cores()
    gpus = [
        torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())
    ] or ["no GPU"]
    found = f"{platform.machine()}, {usable} cores, {', '.join(gpus)}"
    return Check("processor", True, found)


def _disk(store: Store) -> Check:
    try:
        store.check_writable()
    except StoreError as error:
        return Check("store", False, str(error))
    return Check("store", True, f"{store.root} can be written")


def _cells(store: Store) -> Check:
    counts: dict[str, int] = {}
    for key in store.cells():
        trained = store.trained(key)
        status = trained.status if trained else "unfinished"
        counts[status] = counts.get(status, 0) + 1
    aside = len(store.quarantined())
    said = ", ".join(f"{n} {status}" for status, n in sorted(counts.items()))
    found = f"{said or 'none yet'}; {aside} files in quarantine"
    return Check("cells", aside == 0, found)
