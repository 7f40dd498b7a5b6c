"""One process that does jobs, and what is known of it from outside.

It says every moment how much processor time it has used, and ends with the process
that started it. A job's limit counts that time, for on a busy machine a clock on the
wall says little; a job that uses none is given as long on the wall.
"""

from __future__ import annotations

import multiprocessing as mp
import os
import pickle
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing.process import BaseProcess
from multiprocessing.sharedctypes import RawValue
from typing import Any

from mae_bench.records.schema import Status
from mae_bench.training import lifeline
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
# A job that uses no more than this share of a processor stands still.
STILL = 0.01

Work = Callable[[Any, str], Any]


class LostDevice(RuntimeError):
    """A GPU answers nothing more in this process."""


@dataclass(frozen=True)
class Job:
    """Something for a worker to do.

    Args:
        id: Names it in outcomes.
        payload: Given to the work function; must pickle.
        time_limit: Seconds of a processor; where several train a cell, of the clock.
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


def attempt(work: Work, job: Job, device: str) -> Outcome:
    """Do a job here; an exception becomes an outcome."""
    try:
        return Outcome(job.id, "ok", "", work(job.payload, device))
    except MemoryError as error:
        return Outcome(job.id, "out_of_memory", str(error) or "MemoryError", None)
    except Exception as error:
        place = traceback.extract_tb(error.__traceback__)[-1]
        reason = f"{type(error).__name__}: {error} ({place.name}:{place.lineno})"
        lost = isinstance(error, LostDevice)
        return Outcome(job.id, "error", " ".join(reason.split()), None, lost)


def check(device: str) -> None:
    """Ask a GPU after an error whether it still answers.

    Raises:
        LostDevice: It does not.
    """
    if not device.startswith("cuda"):
        return
    import torch

    try:
        torch.cuda.synchronize(device)
    except RuntimeError as error:
        raise LostDevice(str(error).partition("\n")[0]) from error


@dataclass
class Worker:
    """A process that does one job at a time.

    Args:
        process: The process.
        pipe: Takes jobs and gives outcomes.
        device: Where it trains.
        used: Its processor seconds so far, as it says itself.
        job: What it does now.
        begun: Its processor seconds when it got the job.
        moved: When it was last found to move, and its processor seconds then.
    """

    process: BaseProcess
    pipe: Any  # multiprocessing's, whose class is not the same on every system
    device: str
    used: Any
    job: Job | None = None
    begun: float = 0.0
    moved: tuple[float, float] = (0.0, 0.0)

    def assign(self, job: Job) -> None:
        """Give it a job."""
        self.job, self.begun = job, self.used.value
        self.moved = time.monotonic(), self.begun
        # A worker that died while idle is found dead with this job, like any other.
        with suppress(OSError):
            self.pipe.send(job)

    def collect(self, job: Job) -> Outcome | None:
        """The outcome of its job if it has ended, else None."""
        if self.pipe.poll():
            try:
                outcome: Outcome = self.pipe.recv()
                return outcome
            except (EOFError, OSError):
                self.process.join()
        if self.process.is_alive():
            reason = self._overdue(job.time_limit)
            if not reason:
                return None
            self.end()
            return Outcome(job.id, "timeout", reason, None, lost=True)
        code = self.process.exitcode or 0
        cause = f"was killed by signal {-code}" if code < 0 else f"exited with {code}"
        return Outcome(job.id, "error", f"its process {cause}", None, lost=True)

    def sound(self, outcome: Outcome) -> bool:
        """Whether it can be given another job: a GPU fails all after some errors."""
        unharmed = outcome.status == "ok" or self.device.startswith("cpu")
        return self.process.is_alive() and unharmed

    def end(self) -> None:
        """End it, whatever it does."""
        self.process.kill()
        self.process.join()

    def _overdue(self, limit: float) -> str:
        """Why its job is to be stopped, if it is."""
        now, used = time.monotonic(), self.used.value
        if used - self.begun > limit:
            return f"ran over {limit:g} s"
        since, then = self.moved
        if now - since > limit:
            if used - then < STILL * limit:
                return f"stood still for {limit:g} s"
            self.moved = now, used
        return ""


def start(work: Work, device: str) -> Worker:
    """A worker without a job."""
    context = mp.get_context("spawn")
    ours, theirs = context.Pipe()
    used = RawValue("d", 0.0)
    # One that trains over several processors starts processes of its own.
    daemon = len(places(device)) == 1
    # What it is to do is imported when it holds its line to us: that takes seconds.
    args = (theirs, used, pickle.dumps(work), device)
    process = context.Process(target=_serve, args=args, daemon=daemon)
    with environment(WORKER_ENVIRONMENT), _uninterrupted():
        process.start()
    theirs.close()
    return Worker(process, ours, device, used)


def _serve(pipe: Any, used: Any, pickled: bytes, device: str) -> None:
    # Ctrl-C is for who started it, and who then ends it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # Several processors are used by processes of its own, whose time is not its time.
    clock = time.process_time if len(places(device)) == 1 else time.monotonic
    began = clock()

    def beat() -> None:
        used.value = clock() - began

    lifeline.hold(beat)
    work: Work = pickle.loads(pickled)  # noqa: S301 (our own, just now)
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


@contextmanager
def environment(extra: dict[str, str]) -> Iterator[None]:
    """Variables for what is started inside."""
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


@contextmanager
def _uninterrupted() -> Iterator[None]:
    """What is started inside hears nothing of Ctrl-C, not even while it starts."""
    if sys.platform == "win32":
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
