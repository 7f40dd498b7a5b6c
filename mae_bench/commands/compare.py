"""The gate: whether one commit, store or folder of results is worse than another."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mae_bench.commands.console import errors_in_one_line, say, tell
from mae_bench.commands.options import Json
from mae_bench.records.folders import PUBLISHED_TIER, own, published
from mae_bench.records.schema import UsageError

_SIDE = "A commit, a store, or a folder of results."


@errors_in_one_line
def compare(
    a: Annotated[
        str | None,
        typer.Argument(
            help=f"Before. {_SIDE} By default the published results.", metavar="[A]"
        ),
    ] = None,
    b: Annotated[str, typer.Argument(help=f"After. {_SIDE}", metavar="[B]")] = str(
        own(PUBLISHED_TIER)
    ),
    history: Annotated[
        Path, typer.Option(help="Folder of the measurements of commits.")
    ] = Path(".history"),
    asv: Annotated[Path, typer.Option(help="Folder of asv's results.")] = Path(
        "results/asv"
    ),
    across_devices: Annotated[
        bool, typer.Option("--across-devices", help="Compare unlike devices too.")
    ] = False,
    speed: Annotated[
        bool, typer.Option("--speed/--no-speed", help="Whether speed counts.")
    ] = True,
    every: Annotated[
        bool, typer.Option("--all", help="Show what is the same as well.")
    ] = False,
    output: Annotated[
        Path | None, typer.Option(help="Write the table to this file too.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Hold B against A: exit 0 same or better, 1 worse, 2 incomplete.

    Without words, one's own results against the published ones.

    A change that the seeds cannot tell is unknown, and passes. Incomplete: a side has
    no measurements, or what A has is not in B, or is of another tier, device or version
    of its metric.
    """
    from mae_bench.commits import compare as verb
    from mae_bench.commits import side_by_side
    from mae_bench.commits.changes import exit_code
    from mae_bench.commits.sides import side
    from mae_bench.records.store import write_atomically

    a = a or str(published())
    try:
        found = verb.compare(
            side(a, history),
            side(b, history),
            asv=asv,
            across_devices=across_devices,
            speed=speed,
        )
        page = side_by_side.render(found, every)
        if output is not None:
            write_atomically(output, f"{page}\n".encode())
    except OSError as error:
        # 1 would say that B is worse.
        raise UsageError(str(error)) from error
    say(side_by_side.to_json(found) if as_json else page)
    tell(f"read {a} and {b}")
    if code := exit_code(found.changes):
        raise typer.Exit(code)
