"""Defaults of one's own: from a file of the working directory, or the environment.

``mae_bench.toml``, or else ``[tool.mae_bench]`` of ``pyproject.toml``, has options by
the names that they have on the command line: at the top for every verb that takes them,
in a table of a verb's name for it alone. ``MAE_BENCH_TIER`` and ``MAE_BENCH_RUN_TIER``
say the same, and go before the file; the command line goes before both.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any, NamedTuple

from mae_bench.commands.console import detail
from mae_bench.records.schema import UsageError

FILE, PROJECT = "mae_bench.toml", "pyproject.toml"
PREFIX = "MAE_BENCH_"

# Verb -> option -> the parameter that takes it.
Known = Mapping[str, Mapping[str, str]]


class Given(NamedTuple):
    """A default.

    Args:
        place: File or variable, as it is told.
        verb: Whose it is; empty of every verb that takes it.
        option: Without its dashes.
        value: As the command line takes it.
    """

    place: str
    verb: str
    option: str
    value: Any


def defaults(
    known: Known, environment: Mapping[str, str], folder: Path
) -> dict[str, dict[str, Any]]:
    """Verb -> parameter -> default.

    Args:
        known: What there is.
        environment: Variables by name.
        folder: Where the file is looked for.

    Raises:
        UsageError: A key that is no option, or a file that is no TOML.
    """
    found: dict[str, dict[str, Any]] = {verb: {} for verb in known}
    rest = list(_of_folder(known, folder))
    rest += _of_environment(known, environment)
    # What is said of one verb goes before what is said of all.
    for one in sorted(rest, key=lambda one: (one.place.startswith("$"), one.verb)):
        for verb in [one.verb] if one.verb else known:
            if one.option in known[verb]:
                found[verb][known[verb][one.option]] = one.value
        verb = f"{one.verb} " if one.verb else ""
        detail(f"default {verb}--{one.option} {one.value}, from {one.place}")
    return found


def _options(known: Known) -> list[str]:
    return sorted({option for options in known.values() for option in options})


def _of_folder(known: Known, folder: Path) -> Iterator[Given]:
    """What the one file says, or else the other."""
    own, project = folder / FILE, folder / PROJECT
    if own.exists():
        yield from _of_table(known, _read(own), FILE)
    elif project.exists():
        table = _read(project).get("tool", {}).get("mae_bench", {})
        yield from _of_table(known, table, f"[tool.mae_bench] of {PROJECT}")


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
        yield Given(place, verb, option, _spoken(value))


def _spoken(value: Any) -> Any:
    """A value of a file as the command line takes it."""
    if isinstance(value, list):
        return [str(item) for item in value]
    return value if isinstance(value, bool) else str(value)


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
