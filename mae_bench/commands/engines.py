"""Who does what is measured: options of a share, of an engine, and of its end."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

import typer

from mae_bench.commands.options import Measuring


class Weights(StrEnum):
    """What is kept of a training, besides its rows."""

    store = "store"
    none = "none"


@dataclass(frozen=True)
class Running(Measuring):
    """What is measured, and by whom."""

    shard: Annotated[
        str | None,
        typer.Option(
            metavar="I/N",
            help="This share of N of the cells alone, the same on every machine; "
            "mae-bench merge joins their folders, and judges.",
        ),
    ] = None
    on: Annotated[
        str,
        typer.Option(
            metavar="ENGINE",
            help="local; ray: started here; ray://HOST:PORT: the cluster with that "
            "head, of which this machine is a node; slurm.",
        ),
    ] = "local"
    slurm: Annotated[
        list[str] | None,
        typer.Option(
            metavar="KEY=VALUE",
            help="With --on slurm: an option of sbatch, e.g. partition=gpu, "
            "time=02:00:00; may be repeated.",
        ),
    ] = None
    keep_weights: Annotated[
        Weights,
        typer.Option(help="In the store, from wherever they are trained; or not."),
    ] = Weights.store
    max_failures: Annotated[
        int | None,
        typer.Option(
            min=1, help="Stop when so many cells failed, with everything written."
        ),
    ] = None
