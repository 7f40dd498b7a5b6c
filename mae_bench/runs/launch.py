"""Who runs the cells: this process, or a pool of processes with one thread each.

A worker that raises, dies or outlives its time limit loses the job it holds and
nothing else: the parent hears of it, starts another worker and goes on. Two processes
of one thread train faster and far more evenly than one of two threads.
"""

from __future__ import annotations

import math
import multiprocessing as mp
import os
import time
import traceback
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import takewhile
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any

from mae_bench.records.schema import (
    FULL_PRECISION,
    MIXED_PRECISION,
    Precision,
    Status,
    UsageError,
)
from mae_bench.training.places import places

# Read by libraries and by glibc when a process starts. Large malloc thresholds keep
# the same pages between steps instead of giving them back: 1.2x to 2x on a CPU.
WORKER_ENVIRONMENT = {
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "MALLOC_MMAP_THRESHOLD_": "8589934592",
    "MALLOC_TRIM_THRESHOLD_": "8589934592",
    "MALLOC_TOP_PAD_": "268435456",
}

Work = Callable[[Any, str], Any]


@dataclass(frozen=True)
class Job:
    """Something for a worker to do.

    Args:
        id: Names it in outcomes.
        payload: Given to the work function; must pickle.
        time_limit: Seconds.
        after: Id of another job that is to end before this one begins.
    """

    id: str
    payload: Any
    time_limit: float
    after: str = ""


@dataclass(frozen=True)
class Outcome:
    """How a job ended: ``ok`` with what the work returned, or a status and why.

    Args:
        id: Of the job.
        status: ``ok``, or a failure.
        reason: Of the failure.
        result: What the work returned.
        lost: Whether it ended with its process, and could not say why itself.
    """

    id: str
    status: Status
    reason: str
    result: Any
    lost: bool = False


@dataclass
class _Worker:
    process: BaseProcess
    pipe: Connection
    device: str
    job: Job | None = None
    deadline: float = 0.0


@contextmanager
def _environment(extra: dict[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in extra}
    os.environ.update(extra)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def attempt(work: Work, job: Job, device: str) -> Outcome:
    """Do a job here; an exception becomes an outcome."""
    try:
        return Outcome(job.id, "ok", "", work(job.payload, device))
    except MemoryError as error:
        return Outcome(job.id, "out_of_memory", str(error) or "MemoryError", None)
    except Exception as error:
        place = traceback.extract_tb(error.__traceback__)[-1]
        reason = f"{type(error).__name__}: {error} ({place.name}:{place.lineno})"
        return Outcome(job.id, "error", " ".join(reason.split()), None)


def devices(wanted: str, jobs: int | None) -> list[str]:
    """One entry a worker.

    Args:
        wanted: ``auto``, ``cpu``, ``cuda``, ``cuda:N`` or, for one worker that trains
            every cell over several, ``cuda:N,M``. On a CPU as many workers as cores,
            on GPUs one each.
        jobs: Another number of workers; 0 for none (this process).

    Raises:
        UsageError: No such device.
    """
    import torch

    found = torch.cuda.device_count() if wanted != "cpu" else 0
    if wanted == "cpu" or (wanted == "auto" and not found):
        each = ["cpu"] * len(os.sched_getaffinity(0))
    elif wanted in ("auto", "cuda") and found:
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


def _serve(pipe: Connection, work: Work, device: str) -> None:
    while True:
        try:
            job = pipe.recv()
        except (EOFError, OSError):  # the parent is gone
            return
        if job is None:
            return
        outcome = attempt(work, job, device)
        try:
            pipe.send(outcome)
        except OSError:
            return


def _start(work: Work, device: str) -> _Worker:
    context = mp.get_context("spawn")
    ours, theirs = context.Pipe()
    # One that trains over several processors starts processes of its own.
    daemon = len(places(device)) == 1
    process = context.Process(target=_serve, args=(theirs, work, device), daemon=daemon)
    with _environment(WORKER_ENVIRONMENT):
        process.start()
    theirs.close()
    return _Worker(process, ours, device)


def _assign(worker: _Worker, job: Job) -> None:
    worker.job = job
    worker.deadline = time.monotonic() + job.time_limit
    # A worker that died while idle is found dead with this job, like any other.
    with suppress(OSError):
        worker.pipe.send(job)


def _collect(worker: _Worker, job: Job) -> Outcome | None:
    """The outcome of a worker's job if it has ended, else None."""
    if worker.pipe.poll():
        try:
            outcome: Outcome = worker.pipe.recv()
            return outcome
        except (EOFError, OSError):
            worker.process.join()
    if time.monotonic() > worker.deadline:
        worker.process.kill()
        worker.process.join()
        reason = f"ran over {job.time_limit:g} s"
        return Outcome(job.id, "timeout", reason, None, lost=True)
    if not worker.process.is_alive():
        code = worker.process.exitcode or 0
        cause = f"was killed by signal {-code}" if code < 0 else f"exited with {code}"
        return Outcome(job.id, "error", f"its process {cause}", None, lost=True)
    return None


def _next(waiting: deque[Job], busy: Sequence[_Worker]) -> Job | None:
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
) -> Iterator[Outcome]:
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
    idle = [_start(work, device) for device in devices[: len(jobs)]]
    busy: list[_Worker] = []
    try:
        while (waiting or busy) and time.monotonic() < until:
            while idle and (job := _next(waiting, busy)):
                worker = idle.pop()
                _assign(worker, job)
                busy.append(worker)
            soonest = min(until, *(worker.deadline for worker in busy))
            ends = [e for w in busy for e in (w.pipe, w.process.sentinel)]
            wait(ends, timeout=max(0.0, soonest - time.monotonic()) + 0.01)
            for worker in list(busy):
                assert worker.job is not None
                outcome = _collect(worker, worker.job)
                if outcome is None:
                    continue
                busy.remove(worker)
                alive = worker.process.is_alive()
                if waiting and not alive:
                    worker = _start(work, worker.device)
                    alive = True
                if alive:
                    idle.append(worker)
                yield outcome
    finally:
        for worker in idle + busy:
            worker.process.kill()
            worker.process.join()
