"""One cell over several processors: a process each, by Lightning's data parallelism.

Every process draws the whole batch from the cell's streams and keeps its own rows
(``models.processes``), so the cell is the one that a single process trains, up to
rounding.
"""

from __future__ import annotations

import pickle
import tempfile
from collections.abc import Sequence
from pathlib import Path

import torch
from lightning.fabric.plugins.environments.lightning import (
    LightningEnvironment,
    find_free_network_port,
)
from lightning.pytorch.strategies import DDPStrategy
from torch.multiprocessing.spawn import ProcessRaisedException, spawn

from mae_bench.records.schema import Cell
from mae_bench.records.store import Trained
from mae_bench.training import lifeline, train
from mae_bench.training.attached import NOTHING, STRATEGIES, Attached
from mae_bench.training.places import places


class Member(LightningEnvironment):
    """One of several processes of this machine that were started together."""

    def __init__(self, rank: int, size: int, port: int) -> None:
        """Know one's place.

        Args:
            rank: From 0.
            size: How many they are.
            port: Where they meet, on this machine.
        """
        super().__init__()
        self.rank, self._main_port = rank, port
        self.set_world_size(size)
        self.set_global_rank(rank)

    @property
    def creates_processes_externally(self) -> bool:
        """They are there already."""
        return True

    def local_rank(self) -> int:
        """All are on one machine."""
        return self.rank


def train_over(
    cell: Cell,
    device: str,
    passing: Sequence[Cell] = (),
    keep: train.Keep | None = None,
    unfinished: Path | None = None,
    attached: Attached = NOTHING,
) -> tuple[Trained, bytes]:
    """Train a cell; gives how it ended, and the weights if it ended well.

    Args:
        cell: Its ``batch_size`` is of all processors together, which must divide it.
        device: ``cuda:0,1``; with one processor, ``train.train``.
        passing: See ``train.train``; over several processors none is kept.
        keep: Likewise.
        unfinished: Likewise.
        attached: The user's loggers, callbacks and strategy.
    """
    if len(places(device)) == 1:
        return train.train(cell, device, None, passing, keep, unfinished, attached)
    with tempfile.TemporaryDirectory() as folder:
        port = find_free_network_port()
        try:
            spawn(  # type: ignore[no-untyped-call]  # torch has no types here
                _member,
                args=(cell, device, port, folder, attached),
                nprocs=len(places(device)),
            )
        except ProcessRaisedException:
            # One that stopped early has said why, and the others were ended.
            if not any(Path(folder).iterdir()):
                raise
        found: tuple[Trained, bytes] = pickle.loads(  # noqa: S301 (our own, just now)
            min(Path(folder).iterdir()).read_bytes()
        )
    return found


class Stopped(RuntimeError):
    """This process ended before the others, which would wait for it for ever."""


def _member(
    rank: int, cell: Cell, device: str, port: int, folder: str, attached: Attached
) -> None:
    lifeline.hold()
    torch.set_num_threads(1)
    here = places(device)
    strategy = DDPStrategy(
        parallel_devices=[torch.device(place) for place in here],
        cluster_environment=Member(rank, len(here), port),
        **STRATEGIES[attached.strategy],
    )
    trained, weights = train.train(cell, here[rank], strategy, attached=attached)
    if rank == 0 or trained.status != "ok":
        # A failure sorts before the end of process 0.
        name = f"{'end' if trained.status == 'ok' else 'a failure'} {rank}"
        (Path(folder) / name).write_bytes(pickle.dumps((trained, weights)))
    if trained.status != "ok":
        raise Stopped(trained.reason)
