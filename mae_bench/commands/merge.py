"""Folders of results that were measured apart become one, which is judged."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from mae_bench.commands import pipeline
from mae_bench.commands.console import errors_in_one_line, say, tell
from mae_bench.commands.options import Json

FOLDERS = "Results of shards, or of any runs of one tier; they stay as they are."


@errors_in_one_line
def merge(
    folders: Annotated[list[Path], typer.Argument(help=FOLDERS)],
    results: Annotated[
        Path, typer.Option("--results", help="Where to; what is there is joined too.")
    ],
    as_json: Json = False,
) -> None:
    """Join folders of results into one, checked; then judge, rank and plot it."""
    from mae_bench.records.join import join

    joined = join(folders, results)
    rows = {name: len(table) for name, table in joined.items()}
    tell(f"{sum(rows.values())} rows, from {len(folders)} folders")
    (tier,) = {table["tier"].iloc[0] for table in joined.values()}
    pipeline.conclude(results, tier, as_json=as_json)
    if as_json:
        say(json.dumps({"results": str(results), "rows": rows}, indent=1))
    tell(f"wrote {results}")
