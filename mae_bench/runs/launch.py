"""Who runs the cells: this process, or a pool of processes with one thread each.

A worker that raises, dies or outlives its time limit loses the job it holds and
nothing else: the parent hears of it, starts another worker and goes on. Two processes
of one thread train faster and far more evenly than one of two threads.
"""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Generator, Sequence
from itertools import takewhile
from multiprocessing.connection import wait

from mae_bench.records.machine import cores
from mae_bench.records.schema import (
    FULL_PRECISION,
    MIXED_PRECISION,
    Precision,
    UsageError,
)
from mae_bench.runs.worker import Job, Outcome, Work, Worker, attempt, start
from mae_bench.training.places import places

# Seconds between two looks at workers that say nothing.
LOOK = 1.0


def devices(wanted: str, jobs: int | None) -> list[str]:
    """One entry a worker.

    Args:
        wanted: ``auto``, ``cpu``, ``mps``, ``cuda``, ``cuda:N`` or, for one worker that
            trains every cell over several, ``cuda:N,M``. On a CPU as many workers as
            cores, on GPUs one each.
        jobs: Another number of workers; 0 for none: this process, on the CPU.

    Raises:
        UsageError: No such device, or one that this process does not train on.
    """
    import torch

    found = torch.cuda.device_count() if wanted != "cpu" else 0
    apple = torch.backends.mps.is_available()
    if jobs == 0 and wanted.partition(":")[0] in ("cuda", "mps"):
        raise UsageError(
            f"with --jobs 0 cells are trained in this process, on the CPU; for "
            f"{wanted} choose --jobs 1"
        )
    if wanted == "auto":
        wanted = "cuda" if found else "mps" if apple else "cpu"
    if wanted == "cpu":
        each = ["cpu"] * cores()
    elif wanted == "mps" and apple:
        each = ["mps"]
    elif wanted == "cuda" and found:
        each = [f"cuda:{i}" for i in range(found)]
    elif {*places(wanted)} <= {f"cuda:{i}" for i in range(found)}:
        each = [wanted]
    else:
        raise UsageError(f"no device {wanted!r} here; use cpu, or one of {found} GPUs")
    if jobs is None:
        return each
    return [each[i % len(each)] for i in range(jobs)]


def precision(devices: Sequence[str]) -> Precision:
    """That of all trainings: mixed on GPUs, full where there is no unit for it.

    >>> precision(["cuda:0"]), precision([])
    ('bf16-mixed', '32-true')
    """
    on_gpus = any(device.startswith("cuda") for device in devices)
    return MIXED_PRECISION if on_gpus else FULL_PRECISION


def _next(waiting: deque[Job], busy: Sequence[Worker]) -> Job | None:
    """Take the first job that waits for no other, if there is one."""
    unfinished = {job.id for job in waiting} | {w.job.id for w in busy if w.job}
    for index, job in enumerate(waiting):
        if job.after not in unfinished:
            del waiting[index]
            return job
    return None


def launch(
    jobs: Sequence[Job],
    work: Work,
    devices: Sequence[str],
    until: float = math.inf,
) -> Generator[Outcome, None, None]:
    """Run jobs and give each outcome as it comes.

    Args:
        jobs: What is to be done, first things first, each behind that it comes after.
        work: ``work(payload, device)``; importable by name, so that it pickles.
        devices: One worker process each; empty runs the jobs in this process, where
            a time limit cannot be kept.
        until: When to stop, by ``time.monotonic``: what is then at work is dropped,
            and what waits is not begun; neither has an outcome.
    """
    if not devices:
        in_time = takewhile(lambda _: time.monotonic() < until, jobs)
        yield from (attempt(work, job, "cpu") for job in in_time)
        return
    waiting = deque(jobs)
    idle = [start(work, device) for device in devices[: len(jobs)]]
    busy: list[Worker] = []
    try:
        while (waiting or busy) and time.monotonic() < until:
            while idle and (job := _next(waiting, busy)):
                worker = idle.pop()
                worker.assign(job)
                busy.append(worker)
            ends = [e for w in busy for e in (w.pipe, w.process.sentinel)]
            wait(ends, timeout=max(0.0, min(LOOK, until - time.monotonic())) + 0.01)
            for worker in list(busy):
                assert worker.job is not None
                outcome = worker.collect(worker.job)
                if outcome is None:
                    continue
                busy.remove(worker)
                if worker.sound(outcome):
                    idle.append(worker)
                else:
                    worker.end()
                    if waiting:
                        idle.append(start(work, worker.device))
                yield outcome
    finally:
        for worker in idle + busy:
            worker.end()
