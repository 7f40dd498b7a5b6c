"""How the command line speaks: results on stdout, the rest on stderr, in one line."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Mapping
from functools import wraps
from pathlib import Path
from typing import ParamSpec

import typer
from rich.console import Console

from mae_bench.records import faults
from mae_bench.records.schema import UsageError

P = ParamSpec("P")


class _Console(Console):
    """Says that its reader has gone, as any other stream does."""

    def on_broken_pipe(self) -> None:
        """Let it be known."""
        raise BrokenPipeError


console = _Console(stderr=True, soft_wrap=True)


def say(text: str) -> None:
    """Print a result."""
    typer.echo(text)


def tell(line: str, style: str | None = None) -> None:
    """Print what is no result, as it stands: brackets and colons in it are text."""
    console.print(line, style=style, markup=False, emoji=False, highlight=False)


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
        tell("stopped; run again to go on", "red")
        raise typer.Exit(130) from error
    except BrokenPipeError:
        raise
    except Exception as error:
        told, code = _told(error)
        tell(f"error: {told}", "red")
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
        tell(f"{len(failed)} cells failed:", "red")
        for cell, reason in failed.items():
            tell(f"  {cell}: {reason}")
        if hint:
            tell(hint)
    tell(f"wrote {folder}")
    if failed:
        raise typer.Exit(1)
