"""What there is: the parts of the house, and whether this machine can run them."""

from __future__ import annotations

import json
from pathlib import Path
from shutil import get_terminal_size
from textwrap import fill
from typing import Annotated

import typer

from mae_bench.commands import claims
from mae_bench.commands.console import errors_in_one_line, say
from mae_bench.commands.options import Folder, Json, StorePath, Tier, TierName
from mae_bench.records import registry
from mae_bench.records.store import Store

NARROWEST = 30  # letters of a sentence, in a terminal however narrow


@errors_in_one_line
def list_parts(
    room: Annotated[
        str | None,
        typer.Argument(
            help=f"One of {', '.join(registry.ROOMS)}.",
            autocompletion=lambda: registry.ROOMS,
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """List the parts, each with its sentence."""
    if room is not None and room not in registry.ROOMS:
        raise typer.BadParameter(f"{room!r} is none of {', '.join(registry.ROOMS)}")
    found = {
        r: {name: registry.summary(r, name) for name in registry.names(r)}
        for r in ([room] if room else registry.ROOMS)
    }
    if as_json:
        say(json.dumps(found, indent=1))
        return
    for r, parts in found.items():
        say(r)
        width = max(map(len, parts), default=0)
        for name, sentence in parts.items():
            say(_line(name, width, sentence))


def _line(name: str, width: int, sentence: str) -> str:
    """A part and its sentence, folded where the terminal ends."""
    hang = " " * (width + 4)
    columns = max(get_terminal_size().columns, len(hang) + NARROWEST)
    head = f"  {name:{width}}  "
    return fill(
        sentence,
        columns,
        initial_indent=head,
        subsequent_indent=hang,
        break_on_hyphens=False,
    )


@errors_in_one_line
def info(
    name: Annotated[
        str,
        typer.Argument(
            help="Its id, ROOM/ID, THEORY/NUMBER of a prediction, or a number alone.",
            autocompletion=lambda incomplete: claims.like(incomplete),
        ),
    ],
    results: Folder = None,
    tier: Tier = TierName.quick,
    as_json: Json = False,
) -> None:
    """Say what a part or a prediction is, and what the rows say of a prediction."""
    from mae_bench.commands import describe

    found = describe.describe(name, results, tier.value)
    say(json.dumps(found, indent=1) if as_json else describe.render(found))


@errors_in_one_line
def doctor(store: StorePath = Path(".store"), as_json: Json = False) -> None:
    """Check the installation, the machine and the store."""
    from mae_bench.commands import describe

    checks = describe.examine(Store(store))
    if as_json:
        say(json.dumps([vars(check) for check in checks], indent=1))
    else:
        say("\n".join(map(str, checks)))
    if not all(check.ok for check in checks):
        raise typer.Exit(1)
