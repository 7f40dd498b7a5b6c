"""What goes before the verb: its groups in the help, the version, the defaults."""

from __future__ import annotations

import os
from collections.abc import Mapping
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
from mae_bench.commands.defaults import Given, Known, Taken, defaults


class Verbs(TyperGroup):
    """Commands in their groups, each with its whole sentence."""

    def invoke(self, ctx: Any) -> Any:
        """Run the verb, with one's own defaults."""
        _prepare(ctx)
        try:
            return super().invoke(ctx)
        except typer.BadParameter as error:
            error.message += _whence(ctx.obj, error)
            raise

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
            word.removeprefix("--"): _taken(parameter)
            for parameter in command.params
            for word in parameter.opts
            if word.startswith("--")
        }
        for name, command in group.commands.items()
    }


def _taken(parameter: Any) -> Taken:
    if parameter.is_flag:
        return Taken(parameter.name, "switch")
    if parameter.multiple:
        return Taken(parameter.name, "words")
    is_path = parameter.type_descriptor.annotation is Path
    return Taken(parameter.name, "path" if is_path else "word")


def _whence(given: Mapping[str, Mapping[str, Given]], error: Any) -> str:
    """Where a wrong value stands, if not on the command line."""
    if error.ctx is None or error.param is None:
        return ""
    name = error.param.name
    source = error.ctx.get_parameter_source(name)
    mine = given.get(error.ctx.info_name, {}).get(name)
    if mine is None or source is None or source.name != "DEFAULT_MAP":
        return ""
    return f" It is from {mine.place}."


@errors_in_one_line
def _prepare(ctx: Any) -> None:
    """Set the volume, then the defaults, which are told by it."""
    volume(ctx.params["quiet"], ctx.params["verbose"])
    ctx.obj = defaults(_known(ctx.command), os.environ, Path())
    ctx.default_map = {
        verb: {name: given.value for name, given in mine.items()}
        for verb, mine in ctx.obj.items()
    }


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
