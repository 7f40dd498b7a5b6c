"""How the command line speaks: results on stdout, the rest on stderr, in one line."""

from __future__ import annotations

import json
import os
import sys
import traceback
from collections.abc import Callable, Mapping
from functools import wraps
from inspect import Parameter, signature
from pathlib import Path
from typing import Annotated, Any, ParamSpec

import typer
from rich.console import Console

from mae_bench.records import faults
from mae_bench.records.schema import UsageError

P = ParamSpec("P")
Quiet = Annotated[
    bool, typer.Option("--quiet", "-q", help="Say results and errors alone.")
]
Verbose = Annotated[
    bool,
    typer.Option(
        "--verbose", "-v", help="Say which defaults are used, and where an error is."
    ),
]


class _Console(Console):
    """Says that its reader has gone, as any other stream does."""

    def on_broken_pipe(self) -> None:
        """Let it be known."""
        raise BrokenPipeError


console = _Console(stderr=True, soft_wrap=True)
_details = _Console(stderr=True, soft_wrap=True, quiet=True)
_errors = _Console(stderr=True, soft_wrap=True)


def volume(quiet: bool, verbose: bool) -> None:
    """How much is told from here on."""
    console.quiet, _details.quiet = quiet, not verbose


def heard(command: Callable[..., None]) -> Callable[..., None]:
    """A command that takes ``-q`` and ``-v`` as well."""
    given = signature(command, eval_str=True)
    own = [
        Parameter(name, Parameter.KEYWORD_ONLY, default=False, annotation=kind)
        for name, kind in (("quiet", Quiet), ("verbose", Verbose))
    ]
    parameters = [*given.parameters.values(), *own]

    @wraps(command)
    def hearing(*, quiet: bool, verbose: bool, **words: Any) -> None:
        volume(quiet or console.quiet, verbose or not _details.quiet)
        command(**words)

    hearing.__signature__ = given.replace(  # type: ignore[attr-defined]
        parameters=[p.replace(kind=Parameter.KEYWORD_ONLY) for p in parameters]
    )
    hearing.__annotations__ = {p.name: p.annotation for p in parameters}
    return hearing


def say(text: str) -> None:
    """Print a result."""
    typer.echo(text)


def tell(line: str, style: str | None = None) -> None:
    """Print what is no result, as it stands: brackets and colons in it are text."""
    _print(console, line, style)


def detail(line: str) -> None:
    """Print what is told to those alone who ask for more."""
    _print(_details, line)


def complain(line: str) -> None:
    """Print what is wrong, and is told to all."""
    _print(_errors, line, "red")


def _print(where: Console, line: str, style: str | None = None) -> None:
    where.print(line, style=style, markup=False, emoji=False, highlight=False)


def errors_in_one_line(command: Callable[P, None]) -> Callable[P, None]:
    """Bad usage exits with 2, a disk that fails with 1; a line each, no traceback.

    So does a file of ours that cannot be imported: it is a part that somebody writes.
    Ctrl-C is a line too, and exits with 130; a reader who has gone (``| head``) is
    told nothing, and the exit code is 141, as a program's that such a pipe ends.
    """

    @wraps(command)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            _run(lambda: command(*args, **kwargs))
        except BrokenPipeError as error:
            _speak_to_nobody()
            raise typer.Exit(141) from error

    return wrapped


def _run(command: Callable[[], None]) -> None:
    try:
        command()
        sys.stdout.flush()
    except KeyboardInterrupt as error:
        complain("stopped; run again to go on")
        raise typer.Exit(130) from error
    except BrokenPipeError:
        raise
    except Exception as error:
        told, code = _told(error)
        detail(traceback.format_exc().rstrip())
        complain(f"error: {told}")
        raise typer.Exit(code) from error


def _speak_to_nobody() -> None:
    """Give up what is not yet written: Python would complain of it at its end."""
    nobody = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            os.dup2(nobody, stream.fileno())


def _told(error: Exception) -> tuple[str, int]:
    """What is said of an error, and the exit code; a bug is raised again."""
    if isinstance(error, UsageError):
        return str(error), 2
    if fault := faults.of_import(error):
        return fault, 2
    if isinstance(error, OSError):
        return str(error), 1
    raise error


def end(failed: Mapping[str, str], folder: Path, as_json: bool, hint: str = "") -> None:
    """Say where the results are and what failed, if anything; exit with 1 then.

    Args:
        failed: Name -> reason.
        folder: Of the results.
        as_json: Whether a program listens.
        hint: What can be done about what failed.
    """
    if as_json:
        say(json.dumps({"results": str(folder), "failed": failed}, indent=1))
    elif failed:
        complain(f"{len(failed)} cells failed:")
        for cell, reason in failed.items():
            complain(f"  {cell}: {reason}")
        if hint:
            tell(hint)
    tell(f"wrote {folder}")
    if failed:
        raise typer.Exit(1)
