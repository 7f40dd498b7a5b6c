"""What words of the command line stand for: seeds, a time, one of a few."""

from __future__ import annotations

import re
from collections.abc import Callable
from enum import StrEnum
from functools import wraps
from typing import TypeVar

import typer

from mae_bench.records.schema import UsageError

R = TypeVar("R")
E = TypeVar("E", bound=StrEnum)


def seeds_of(word: str) -> range:
    """Which seeds a word says: a count from 0, or first and end.

    >>> seeds_of("5"), seeds_of("5:25")
    (range(0, 5), range(5, 25))

    Raises:
        UsageError: It says none.
    """
    said = re.fullmatch(r"(?:([0-9]{1,9}):)?([0-9]{1,9})", word)
    seeds = range(int(said[1] or 0), int(said[2])) if said else range(0)
    if not seeds:
        raise UsageError(f"{word!r} names no seeds; say 5 for 0 to 4, 5:25 for 5 to 24")
    return seeds


def seconds_of(word: str) -> float:
    """How long a word says.

    >>> seconds_of("90s"), seconds_of("1h30m")
    (90.0, 5400.0)

    Raises:
        UsageError: It says no time.
    """
    said = re.fullmatch(r"(?:([0-9]{1,4})h)?(?:([0-9]{1,6})m)?(?:([0-9]{1,9})s)?", word)
    hours, minutes, seconds = map(int, said.groups("0") if said else "000")
    total = 3600.0 * hours + 60 * minutes + seconds
    if not total:
        raise UsageError(f"{word!r} is no time; say 90s, 30m or 1h30m")
    return total


def spoken(read: Callable[[str], R]) -> Callable[[str], R]:
    """A reader of words whose complaint is one of the command line."""

    @wraps(read)
    def reading(word: str) -> R:
        try:
            return read(word)
        except UsageError as error:
            raise typer.BadParameter(str(error)) from error

    return reading


def one_of(kind: type[E], word: str) -> E:
    """The word, if it is one of those that the command line admits.

    Raises:
        UsageError: It is not.
    """
    if word not in list(kind):
        name = kind.__name__.removesuffix("Name").lower()
        raise UsageError(f"unknown {name} {word!r}; one of {', '.join(kind)}")
    return kind(word)
