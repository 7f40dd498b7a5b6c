"""What goes before the verb: its groups in the help, the version, the defaults."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

import mae_bench
from mae_bench.commands.console import (
    Quiet,
    Verbose,
    errors_in_one_line,
    say,
    volume,
)
from mae_bench.commands.defaults import Known, defaults


class Verbs(TyperGroup):
    """Commands in their groups, each with its whole sentence."""

    def invoke(self, ctx: Any) -> Any:
        """Run the verb, with one's own defaults."""
        _prepare(ctx)
        return super().invoke(ctx)

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write them below their groups' names."""
        groups: dict[str, list[tuple[str, str]]] = {}
        for name in self.list_commands(ctx):
            command: Any = self.get_command(ctx, name)
            sentence = (command.help or "").partition("\n")[0]
            groups.setdefault(command.rich_help_panel, []).append((name, sentence))
        for title, rows in groups.items():
            with formatter.section(title):
                formatter.write_dl(rows)


def _version(wanted: bool) -> bool:
    if wanted:
        say(f"mae-bench {mae_bench.__version__}")
        raise typer.Exit
    return wanted


def _known(group: Any) -> Known:
    """Options of every verb, by their long names; arguments have no default."""
    return {
        name: {
            word.removeprefix("--"): parameter.name
            for parameter in command.params
            for word in parameter.opts
            if word.startswith("--")
        }
        for name, command in group.commands.items()
    }


@errors_in_one_line
def _prepare(ctx: Any) -> None:
    """Set the volume, then the defaults, which are told by it."""
    volume(ctx.params["quiet"], ctx.params["verbose"])
    ctx.default_map = defaults(_known(ctx.command), os.environ, Path())


def entry(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_version, is_eager=True, help="Say which, and exit."
        ),
    ] = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Put theories of masked autoencoders to the test."""
    # What they say is done before, see ``Verbs.invoke``.
    del version, quiet, verbose
