"""How the command line speaks: results on stdout, the rest on stderr, in one line."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import wraps
from pathlib import Path
from typing import ParamSpec

import typer
from rich.console import Console

from mae_bench.records.schema import UsageError

P = ParamSpec("P")
console = Console(stderr=True, soft_wrap=True)


def say(text: str) -> None:
    """Print a result."""
    typer.echo(text)


def tell(line: str, style: str | None = None) -> None:
    """Print what is no result, as it stands: brackets in it are text."""
    console.print(line, style=style, markup=False, highlight=False)


def errors_in_one_line(command: Callable[P, None]) -> Callable[P, None]:
    """Bad usage exits with 2, a disk that fails with 1; a line each, no traceback."""

    @wraps(command)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            command(*args, **kwargs)
        except UsageError as error:
            tell(f"error: {error}", "red")
            raise typer.Exit(2) from error
        except OSError as error:
            tell(f"error: {error}", "red")
            raise typer.Exit(1) from error

    return wrapped


def end(failed: Mapping[str, str], folder: Path, as_json: bool) -> None:
    """Say where the results are and what failed, if anything; exit with 1 then."""
    if as_json:
        say(json.dumps({"results": str(folder), "failed": failed}, indent=1))
    elif failed:
        tell(f"{len(failed)} cells failed:", "red")
        for cell, reason in failed.items():
            tell(f"  {cell}: {reason}")
    tell(f"wrote {folder}")
    if failed:
        raise typer.Exit(1)
