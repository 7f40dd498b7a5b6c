"""What the command line takes: each option once, with its help."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class TierName(StrEnum):
    """The tiers, for the command line."""

    smoke = "smoke"
    quick = "quick"
    full = "full"


class Rerun(StrEnum):
    """Which cells are run again."""

    always = "always"
    failed = "failed"
    missing = "missing"
    never = "never"


Tier = Annotated[TierName, typer.Option(help="How much work a cell is.")]
Seeds = Annotated[
    int | None, typer.Option(min=1, help="Repetitions; the tier's own by default.")
]
Jobs = Annotated[
    int | None,
    typer.Option(
        min=0, help="Worker processes; one a core or GPU by default; 0: none."
    ),
]
Device = Annotated[
    str,
    typer.Option(help="auto, cpu, cuda, cuda:N, or cuda:N,M: each cell over several."),
]
Experiments = Annotated[
    list[str] | None,
    typer.Option("--experiment", help="Only this one; may be repeated."),
]
Methods = Annotated[
    list[str] | None, typer.Option("--method", help="Only this one; may be repeated.")
]
Datasets = Annotated[
    list[str] | None, typer.Option("--dataset", help="Only this one; may be repeated.")
]
Ensembles = Annotated[
    bool | None,
    typer.Option(
        "--ensembles/--no-ensembles",
        help="Train like cells at once; by default on GPUs alone.",
    ),
]
StorePath = Annotated[Path, typer.Option("--store", help="Folder of trained cells.")]
Results = Annotated[
    Path | None,
    typer.Option("--results", help="Folder of CSVs; results, or results/TIER."),
]
Folder = Annotated[Path, typer.Option("--results", help="Folder of the CSVs.")]
Again = Annotated[Rerun, typer.Option("--rerun", help="Which cells are run again.")]
Json = Annotated[bool, typer.Option("--json", help="Machine-readable output.")]
