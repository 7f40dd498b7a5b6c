"""Defaults of one's own: from a file of the working folder, or the environment.

``mae_bench.toml``, or else ``[tool.mae_bench]`` of ``pyproject.toml``, has options by
the names that they have on the command line: at the top for every verb that takes them,
in a table of a verb's name for it alone. The nearest such file is read, of this folder
or of one above, and its paths begin where it is. ``MAE_BENCH_TIER`` and
``MAE_BENCH_RUN_TIER`` say the same, and go before the file; the command line goes
before both.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Literal, NamedTuple

from mae_bench.commands.console import detail
from mae_bench.records.schema import UsageError

FILE, PROJECT = "mae_bench.toml", "pyproject.toml"
PREFIX = "MAE_BENCH_"
TRUE, FALSE = ("1", "true", "yes", "on"), ("0", "false", "no", "off")

Kind = Literal["word", "words", "path", "switch"]


class Taken(NamedTuple):
    """How a verb takes an option.

    Args:
        parameter: The name of what takes it.
        kind: Whether it is one word, several, a path, or is only there or not.
    """

    parameter: str
    kind: Kind = "word"


# Verb -> option -> how it is taken.
Known = Mapping[str, Mapping[str, Taken]]


class Given(NamedTuple):
    """A default.

    Args:
        place: File or variable, as it is told.
        verb: Whose it is; empty of every verb that takes it.
        option: Without its dashes.
        value: As it is written, and at last as the command line takes it.
        folder: Where its paths begin; None of a variable, of which it is here.
    """

    place: str
    verb: str
    option: str
    value: Any
    folder: Path | None = None


def defaults(
    known: Known, environment: Mapping[str, str], folder: Path
) -> dict[str, dict[str, Given]]:
    """Verb -> parameter -> default.

    Args:
        known: What there is.
        environment: Variables by name.
        folder: Where the file is looked for, and above.

    Raises:
        UsageError: A key that is no option, a value of another kind, or a file that is
            no TOML.
    """
    found: dict[str, dict[str, Given]] = {verb: {} for verb in known}
    rest = list(_of_folder(known, folder.resolve()))
    rest += _of_environment(known, environment)
    # What is said of one verb goes before what is said of all.
    for one in sorted(rest, key=lambda one: (one.place.startswith("$"), one.verb)):
        for verb in [one.verb] if one.verb else known:
            if taken := known[verb].get(one.option):
                value = _spoken(one, taken.kind)
                found[verb][taken.parameter] = one._replace(value=value)
        verb = f"{one.verb} " if one.verb else ""
        detail(f"default {verb}--{one.option} {one.value}, from {one.place}")
    return found


def _options(known: Known) -> list[str]:
    return sorted({option for options in known.values() for option in options})


def _of_folder(known: Known, folder: Path) -> Iterator[Given]:
    """What the nearest file says, of this folder or of one above."""
    for at in (folder, *folder.parents):
        for name in (FILE, PROJECT):
            path = at / name
            table = _read(path) if os.access(path, os.R_OK) else None
            place = os.path.relpath(path, folder)
            if name == PROJECT and table is not None:
                tool, place = table.get("tool"), f"[tool.mae_bench] of {place}"
                table = tool.get("mae_bench") if isinstance(tool, Mapping) else None
            if table is None:
                continue
            if not isinstance(table, Mapping):
                raise UsageError(f"{place} is no table of options")
            for given in _of_table(known, table, place):
                yield given._replace(folder=at)
            return


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{path.name} is no TOML: {error}") from error


def _of_table(
    known: Known, table: Mapping[str, Any], place: str, verb: str = ""
) -> Iterator[Given]:
    options = [*known[verb]] if verb else [*_options(known), *known]
    for key, value in table.items():
        option = key.replace("_", "-")
        if not verb and option in known and isinstance(value, Mapping):
            yield from _of_table(known, value, place, option)
            continue
        if option not in options or isinstance(value, Mapping):
            name = f"{verb}.{key}" if verb else key
            raise UsageError(f"{place}: {_unknown(name, key, options)}")
        yield Given(place, verb, option, value)


def _spoken(given: Given, kind: Kind) -> Any:
    """A value as the command line takes it.

    Raises:
        UsageError: It is of another kind.
    """
    value = given.value
    several, truth = isinstance(value, list), isinstance(value, bool)
    if kind == "switch" and not truth:
        word = "" if several else str(value).lower()
        if word not in (*TRUE, *FALSE):
            raise _wrong(given, "is on or off: say true or false")
        return word in TRUE
    if kind == "words" and not truth:
        words = value if several else [value] if given.folder else value.split()
        return [str(word) for word in words]
    if kind not in ("switch", "words") and several:
        raise _wrong(given, "takes one value")
    if kind != "switch" and truth:
        raise _wrong(given, "takes a value, and is not on or off")
    if kind == "path" and given.folder and given.folder != Path().resolve():
        return str(given.folder / str(value))
    return value if truth else str(value)


def _wrong(given: Given, what: str) -> UsageError:
    return UsageError(f"{given.place}: {given.option} {what}; not {given.value!r}")


def _of_environment(known: Known, environment: Mapping[str, str]) -> Iterator[Given]:
    names = {_variable(option): ("", option) for option in _options(known)}
    names |= {
        _variable(f"{verb}-{option}"): (verb, option)
        for verb, options in known.items()
        for option in options
    }
    for name, value in environment.items():
        if not name.startswith(PREFIX):
            continue
        if name not in names:
            raise UsageError(_unknown(name, name, [*names]))
        yield Given(f"${name}", *names[name], value)


def _variable(word: str) -> str:
    return PREFIX + word.upper().replace("-", "_")


def _unknown(name: str, key: str, known: list[str]) -> str:
    near = get_close_matches(key, known, n=3, cutoff=0.0)
    return f"unknown key {name!r}; did you mean {' or '.join(near)}?"
