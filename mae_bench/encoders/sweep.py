"""Somebody's encoders along a factor: who they are, for every level and seed.

A sweep names the levels, ``mask_ratio=0.25,0.5,0.75``, and a spec has an encoder for
each of them and for each seed: a pattern of files, ``enc_{mask_ratio}_{seed}.pt``, with
the levels as they were written; or a function that takes ``mask_ratio`` and ``seed``.
Both need the seed: a verdict is over trainings, and not over images of one.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import product
from string import Formatter
from typing import Any

from torch import nn

from mae_bench.encoders import specs
from mae_bench.records.schema import Setting, UsageError

SEED = "seed"
Levels = Mapping[str, Sequence[str]]


@dataclass(frozen=True)
class Trained:
    """An encoder of a sweep.

    Args:
        at: Factor -> level.
        seed: Which of the trainings.
        spec: What it is asked for by, in words.
        load: Gives the network.
    """

    at: Mapping[str, Setting]
    seed: int
    spec: str
    load: Callable[[], nn.Module]

    def __str__(self) -> str:
        """Where it stands in the sweep."""
        said = [f"{name} {value}" for name, value in self.at.items()]
        return ", ".join([*said, f"seed {self.seed}"])


def levels_of(words: Sequence[str]) -> dict[str, list[str]]:
    """Factor -> its levels as they were written, of words ``NAME=LEVEL,LEVEL``.

    >>> levels_of(["mask_ratio=0.25,.5", "lamb=0,0.01"])
    {'mask_ratio': ['0.25', '.5'], 'lamb': ['0', '0.01']}

    Raises:
        UsageError: A word that is none of these, a name or a level that is given
            twice, or no factor of two levels.
    """
    found: dict[str, list[str]] = {}
    for word in words:
        name, sign, said = word.partition("=")
        levels = [level.strip() for level in said.split(",")]
        if not (sign and name.isidentifier() and all(levels)):
            raise UsageError(f"--sweep {word!r}: expected NAME=LEVEL,LEVEL")
        values = {value_of(level) for level in levels}
        if name == SEED or name in found:
            raise UsageError(f"--sweep {word!r}: {name} is given by --seeds or twice")
        if len(values) < len(levels):
            raise UsageError(f"--sweep {word!r}: a level is given twice")
        found[name] = levels
    if all(len(levels) < 2 for levels in found.values()):
        raise UsageError(
            "a sweep needs two or more levels, as in --sweep mask_ratio=0.25,0.5,0.75"
        )
    return found


def value_of(word: str) -> Setting:
    """The level that a word stands for: a number, a truth value, or the text.

    >>> value_of(".25"), value_of("4"), value_of("True"), value_of("block")
    (0.25, 4, True, 'block')
    """
    if word in ("True", "False"):
        return word == "True"
    for kind in (int, float):
        try:
            return kind(word)
        except ValueError:
            continue
    return word


def encoders_of(
    spec: str | Callable[..., nn.Module],
    levels: Levels,
    seeds: range,
    num_heads: int | None = None,
    told: Callable[[str], None] = lambda _: None,
) -> list[Trained]:
    """Every encoder of a sweep; none is loaded.

    Args:
        spec: A pattern of files, ``file.py:function``, ``module:function``, or a
            function.
        levels: Factor -> levels as they were written.
        seeds: Of the trainings.
        num_heads: Of weights; see ``specs.load``.
        told: Called with a line of what had to be assumed.

    Raises:
        UsageError: A file is not there, a placeholder or an argument is lacking.
    """
    points = [
        dict(zip([*levels, SEED], map(str, at), strict=True))
        for at in product(*levels.values(), seeds)
    ]
    if isinstance(spec, str) and "{" in spec:
        _check_pattern(spec, [*levels, SEED])
        # What is assumed of one is assumed of all, and told once.
        voices = [told, *(_silent for _ in points[1:])]
        found = [
            _of_file(spec, words, num_heads, voice)
            for words, voice in zip(points, voices, strict=True)
        ]
        absent = [each.spec for each in found if specs.parted(each.spec)[0] is None]
        if absent:
            more = f", nor {len(absent) - 1} more" * (len(absent) > 1)
            raise UsageError(f"there is no {absent[0]}{more}; {spec} needs them")
        return found
    made = _function(spec) if isinstance(spec, str) else spec
    name = spec if isinstance(spec, str) else getattr(spec, "__name__", "function")
    _check_signature(name, made, [*levels, SEED])
    return [_of_function(name, made, words) for words in points]


def _silent(line: str) -> None:
    """Tell nobody."""


def _check_pattern(spec: str, names: list[str]) -> None:
    try:
        said = [name for _, name, _, _ in Formatter().parse(spec) if name is not None]
    except ValueError as error:
        raise UsageError(f"{spec} is no pattern: {error}") from error
    for name in names:
        if name not in said:
            raise UsageError(f"{spec} has no {{{name}}}: one file for each {name}")
    if strange := [name for name in said if name not in names]:
        raise UsageError(f"{spec}: no levels of {strange[0]!r}; give --sweep")


def _of_file(
    spec: str,
    words: Mapping[str, str],
    num_heads: int | None,
    told: Callable[[str], None],
) -> Trained:
    path = spec.format(**words)
    load = partial(specs.load, path, num_heads, told)
    return Trained(_values(words), int(words[SEED]), path, load)


def _of_function(
    name: str, made: Callable[..., Any], words: Mapping[str, str]
) -> Trained:
    at, seed = _values(words), int(words[SEED])
    said = ", ".join(f"{k}={v!r}" for k, v in {**at, SEED: seed}.items())
    spec = f"{name}({said})"
    load = partial(specs.asked, spec, partial(made, **at, **{SEED: seed}))
    return Trained(at, seed, spec, load)


def _values(words: Mapping[str, str]) -> dict[str, Setting]:
    return {name: value_of(word) for name, word in words.items() if name != SEED}


def _function(spec: str) -> Callable[..., Any]:
    """The function that a spec names.

    Raises:
        UsageError: It names a file of weights, or nothing that can be called.
    """
    path, word = specs.parted(spec)
    if (path is None and not word) or (path is not None and path.suffix != ".py"):
        raise UsageError(
            f"{spec} is one encoder; a sweep needs one a level and seed: a pattern "
            "such as enc_{mask_ratio}_{seed}.pt, or file.py:function that takes them"
        )
    if not word:
        raise UsageError(f"{spec} is code; name a function in it, {spec}:function")
    made = specs.named(spec, path, word)
    if isinstance(made, nn.Module) or not callable(made):
        raise UsageError(f"{spec} is no function, which a sweep calls at every level")
    return made  # type: ignore[no-any-return]


def _check_signature(spec: str, made: Callable[..., Any], names: list[str]) -> None:
    """Refuse a function that does not take every factor, and the seed."""
    try:
        inspect.signature(made).bind(**dict.fromkeys(names))
    except TypeError as error:
        said = ", ".join(names)
        raise UsageError(f"{spec} is to be called with {said}: {error}") from error
    except ValueError:  # built in: it shows when it is called
        return
