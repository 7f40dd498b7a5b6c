"""The evidence and its history as pages: one folder, read without internet."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from mae_bench.commands.console import errors_in_one_line, say, tell
from mae_bench.commands.options import Folder, Json, Tier, TierName
from mae_bench.commands.outcome import NOT_EVIDENCE
from mae_bench.records.folders import shown


@errors_in_one_line
def site(
    results: Folder = None,
    tier: Tier = TierName.quick,
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

    where = shown(results, tier)
    pages = verb.site(
        where,
        asv,
        output,
        vendor=vendor,
        told=tell,
    )
    paths = [str(path) for path in pages]
    say(json.dumps(paths) if as_json else "\n".join(paths))
    if tier is TierName.smoke:
        tell(NOT_EVIDENCE)
    tell(f"read {where}, wrote {output}")
