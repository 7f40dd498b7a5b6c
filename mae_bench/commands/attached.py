"""What goes along with every training: its precision, and who looks on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from mae_bench.commands.options import Measuring
from mae_bench.commands.words import one_of
from mae_bench.records.schema import (
    FULL_PRECISION,
    MIXED_PRECISION,
    Precision,
    UsageError,
)

if TYPE_CHECKING:
    from mae_bench.training.attached import Attached


class PrecisionName(StrEnum):
    """What trainings may be computed in, for the command line."""

    full = FULL_PRECISION
    mixed = MIXED_PRECISION


@dataclass(frozen=True)
class Training(Measuring):
    """What is measured, and how it is trained."""

    precision: Annotated[
        PrecisionName | None,
        typer.Option(help="Of every training; by default mixed on GPUs alone."),
    ] = None
    loggers: Annotated[
        list[str] | None,
        typer.Option(
            "--logger",
            metavar="NAME",
            help="csv, tensorboard, wandb, mlflow, or module:Class: Lightning's, of "
            "every training, in lightning_logs; may be repeated.",
        ),
    ] = None
    callbacks: Annotated[
        list[str] | None,
        typer.Option(
            "--callback",
            metavar="NAME",
            help="A class of Lightning's callbacks, or module:Class, for every "
            "training; may be repeated.",
        ),
    ] = None
    strategy: Annotated[
        str,
        typer.Option(help="Lightning's, of cells over several processors."),
    ] = "auto"

    def arithmetic(self, devices: Sequence[str]) -> Precision:
        """What trainings are computed in: as wished, or as devices do it best."""
        from mae_bench.runs import launch

        if self.precision is None:
            return launch.precision(devices)
        full = one_of(PrecisionName, self.precision) is PrecisionName.full
        return FULL_PRECISION if full else MIXED_PRECISION

    def attached(self) -> Attached:
        """What is attached to every training, if it can be had.

        Raises:
            UsageError: It cannot; or a strategy where no cell has several processors.
        """
        from mae_bench.training.attached import Attached
        from mae_bench.training.places import places

        found = Attached(
            tuple(self.loggers or ()), tuple(self.callbacks or ()), self.strategy
        )
        found.check()
        if self.strategy != "auto" and len(places(self.device)) == 1:
            raise UsageError(
                f"--strategy {self.strategy} is of cells over several processors; say "
                "--device cuda:0,1"
            )
        return found
