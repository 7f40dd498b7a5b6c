"""Who does what is measured: options of a share, of an engine, and of its end."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mae_bench.commands.attached import Training
from mae_bench.records.schema import UsageError

if TYPE_CHECKING:
    from mae_bench.runs.engines import Engine

LOCAL, RAY, SLURM = "local", "ray", "slurm"


class Weights(StrEnum):
    """What is kept of a training, besides its rows."""

    store = "store"
    none = "none"


@dataclass(frozen=True)
class Running(Training):
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


def opened(
    on: str, settings: Sequence[str], store: Path
) -> AbstractContextManager[Engine]:
    """An engine, for as long as it is used.

    Args:
        on: ``local``, ``ray``, ``ray://HOST:PORT`` or ``slurm``.
        settings: Of SLURM, ``KEY=VALUE``.
        store: Folder that all nodes of SLURM see.

    Raises:
        UsageError: No such engine; or, when it is entered, it is not installed, or not
            to be reached.
    """
    from mae_bench.runs import engines

    kind, _, address = on.partition("://")
    if settings and kind != SLURM:
        raise UsageError("--slurm KEY=VALUE goes with --on slurm")
    if on == LOCAL:
        return nullcontext(engines.HERE)
    if kind == RAY and bool(address) == ("://" in on):
        from mae_bench.runs import on_ray

        return on_ray.opened(address)
    if on == SLURM:
        from mae_bench.runs import on_slurm

        return on_slurm.opened(settings, store)
    raise UsageError(f"unknown engine {on!r}; local, ray, ray://HOST:PORT or slurm")
