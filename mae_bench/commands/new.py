"""A new part from a template: its file and its twin, green as they are written."""

from __future__ import annotations

import ast
import builtins
import keyword
import os
import re
from pathlib import Path
from string import Template
from typing import Annotated

import typer

from mae_bench.commands.console import errors_in_one_line, say
from mae_bench.records import registry
from mae_bench.records.faults import CLASSES, HOUSE
from mae_bench.records.schema import UsageError

ROOMS = {
    "method": "methods",
    "dataset": "datasets",
    "metric": "metrics",
    "theory": "theories",
    "experiment": "experiments",
}
NEXT = {
    "method": "mae-bench run --tier smoke --experiment leaderboard --method $name",
    "dataset": 'let it join an experiment: joins = ("leaderboard",)',
    "metric": "mae-bench run --tier smoke --experiment leaderboard --method mae",
    "theory": "mae-bench judge",
    "experiment": "mae-bench run --tier smoke --experiment $name",
}
TEMPLATES = Path(__file__).parent / "templates"
LINE = 88


@errors_in_one_line
def new(
    kind: Annotated[str, typer.Argument(help=f"One of {', '.join(ROOMS)}.")],
    name: Annotated[str, typer.Argument(help="Its id, in snake_case.")],
) -> None:
    """Write a new part and its test, to be made yours."""
    if kind not in ROOMS:
        near = registry.nearest(kind, list(ROOMS))
        raise UsageError(f"no kind of part {kind!r}; did you mean {near}?")
    room = ROOMS[kind]
    check(room, name)
    for path in write(files(kind, name)):
        say(os.path.relpath(path))
    say(f"next: {Template(NEXT[kind]).substitute(name=name)}")


def check(room: str, name: str) -> None:
    """Refuse a name that cannot be an id, or that another part of the room has.

    Raises:
        UsageError: It cannot be; the message has names that can be, or are near.
    """
    if not re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", name):
        like = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|\W+|_+", "_", name).strip("_").lower()
        said = f"; did you mean {like}?" if like[:1].isalpha() else ""
        raise UsageError(f"name {name!r} is not in snake_case{said}")
    if keyword.iskeyword(name) or word_of(room, name) in vars(builtins):
        raise UsageError(f"name {name!r} is a word of Python's; choose another")
    if name in registry.names(room):
        near = registry.nearest(name, registry.names(room))
        raise UsageError(f"name {name!r} is taken in {room}: {near}; choose another")


def word_of(room: str, name: str) -> str:
    """The public name of a part's file."""
    if room in CLASSES:
        return name.title().replace("_", "")
    return name if room == "metrics" else name.upper()


def files(kind: str, name: str) -> dict[Path, str]:
    """The part's file and its twin: path -> text.

    Raises:
        UsageError: There is no checkout to write to, or the templates cannot take the
            name.
    """
    room, root = ROOMS[kind], HOUSE.parent
    word = word_of(room, name)
    if not ((root / "pyproject.toml").exists() and (root / "tests").exists()):
        raise UsageError(
            "this mae_bench is installed, not checked out; a part of your own package "
            f'joins by [project.entry-points."mae_bench.{room}"] '
            f'{name} = "my_package.{name}:{word}"'
        )
    templates = {
        HOUSE / room / f"{name}.py": TEMPLATES / f"{kind}.txt",
        root / "tests" / room / f"test_{name}.py": TEMPLATES / f"test_{kind}.txt",
    }
    found = {}
    for path, template in templates.items():
        text = Template(template.read_text(encoding="utf-8"))
        if word in _names(text.substitute(name="_n", word="_W")):
            raise UsageError(f"name {name!r} would hide another {word}; choose another")
        found[path] = text.substitute(name=name, word=word)
        if any(len(line) > LINE for line in found[path].splitlines()):
            raise UsageError(f"name {name!r} is too long; choose a shorter one")
    return found


def _names(text: str) -> set[str]:
    """Every name that some code uses."""
    nodes = list(ast.walk(ast.parse(text)))
    found = {str(getattr(node, "name", "")) for node in nodes}
    found |= {node.id for node in nodes if isinstance(node, ast.Name)}
    return found | {node.arg for node in nodes if isinstance(node, ast.arg)}


def write(texts: dict[Path, str]) -> list[Path]:
    """Write new files: all of them, or none.

    Raises:
        UsageError: One of them is there.
    """
    for path in texts:
        if path.exists():
            raise UsageError(f"{os.path.relpath(path)} is there; nothing is written")
    try:
        for path, text in texts.items():
            path.write_text(text, encoding="utf-8")
    except OSError:
        for path in texts:
            path.unlink(missing_ok=True)
        raise
    return list(texts)
