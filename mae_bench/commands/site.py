"""The evidence and its history as pages: one folder, read without internet."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from mae_bench.commands.console import console, errors_in_one_line, say
from mae_bench.commands.options import Folder, Json


@errors_in_one_line
def site(
    results: Folder = Path("results"),
    asv: Annotated[Path, typer.Option("--asv", help="Folder of asv's results.")] = Path(
        "results/asv"
    ),
    output: Annotated[
        Path, typer.Option("--output", help="Where to; an older site is replaced.")
    ] = Path("build/site"),
    vendor: Annotated[
        Path | None,
        typer.Option(
            "--vendor",
            help="Folder of the tarballs that benchmarks/vendor.json names; "
            "without it npm gets them.",
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Make the site: leaderboard, theories, figures and asv's graphs."""
    from mae_bench.pages import site as verb

    pages = verb.site(
        results,
        asv,
        output,
        vendor=vendor,
        told=lambda line: console.print(line, highlight=False),
    )
    paths = [str(path) for path in pages]
    say(json.dumps(paths) if as_json else "\n".join(paths))
