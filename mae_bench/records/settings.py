"""Settings of one's own: words NAME=VALUE, held against the parts that have them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

from mae_bench.records import registry
from mae_bench.records.schema import Setting, Settings, UsageError

Parts = Mapping[str, Mapping[str, Settings]]
Changed = dict[str, dict[str, dict[str, Setting]]]


def parts_of(**rooms: Iterable[str]) -> Parts:
    """Room -> part -> its settings with their defaults; see ``changed``.

    >>> parts_of(datasets=["image_folder"])["datasets"]["image_folder"]["grey"]
    False
    """
    return {
        room: {name: registry.settings(registry.load(room, name)) for name in names}
        for room, names in rooms.items()
    }


def changed(words: Sequence[str], parts: Parts) -> Changed:
    """What words change in each part, the later of two of one name.

    Args:
        words: ``name=value``; ``dataset.name=value`` or ``method.name=value`` where
            datasets and methods have settings of one name.
        parts: Room -> part -> its settings with their defaults.

    Returns:
        Room -> part -> name -> value, of the kind of its default.

    Raises:
        UsageError: A setting that none of the parts has, or that rooms share; a value
            of the wrong kind.
    """
    found: Changed = {room: {name: {} for name in of} for room, of in parts.items()}
    for word in words:
        given, sign, value = word.partition("=")
        if not sign:
            raise UsageError(f"setting {word!r}: expected NAME=VALUE")
        room, name = _place(given, parts)
        for part, known in parts[room].items():
            if name in known:
                found[room][part][name] = _like(known[name], word, value)
    return found


def _place(given: str, parts: Parts) -> tuple[str, str]:
    """The room and the name that are meant."""
    having: dict[str, list[str]] = {}
    for room, of in parts.items():
        for name in {name for known in of.values() for name in known}:
            for said in (name, f"{room.removesuffix('s')}.{name}"):
                having.setdefault(said, []).append(room)
    if given not in having:
        plain = sorted(name for name in having if "." not in name)
        near = registry.nearest(given, plain) or "no setting, there is none"
        raise UsageError(f"unknown setting {given!r}; did you mean {near}?")
    if len(having[given]) > 1:
        ways = " or ".join(f"{r.removesuffix('s')}.{given}" for r in having[given])
        rooms = " and ".join(having[given])
        raise UsageError(f"{rooms} have a setting {given!r} each; say {ways}")
    return having[given][0], given.rpartition(".")[2]


def _like(default: Setting, word: str, value: str) -> Setting:
    """The value, of the kind of the default."""
    if isinstance(default, bool):
        if value.lower() in ("true", "false"):
            return value.lower() == "true"
        raise UsageError(f"setting {word!r}: expected true or false")
    if default is None or isinstance(default, str):
        return value
    try:
        number = type(default)(value)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise UsageError(f"setting {word!r}: expected {type(default).__name__}")
    return number
