"""What runs the cells: a pool of processes here, a Ray cluster, or SLURM.

The contract: jobs in, outcomes out; a lost worker costs its job. A file an engine:
``launch``, ``on_ray``, ``on_slurm``.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass
from multiprocessing.connection import wait

from mae_bench.runs import launch
from mae_bench.runs.worker import Job, Outcome, Work, Worker, start

Outcomes = Generator[Outcome, None, None]
Launch = Callable[[Sequence[Job], Work, Sequence[str], float], Outcomes]
# How often a job is tried again whose node died, or was taken from it.
RETRIES = 3
# Seconds between two looks at a job that says nothing.
LOOK = 1.0
# This process's worker, which waits for another job.
_idle: dict[str, Worker] = {}


@dataclass(frozen=True)
class Engine:
    """Something that runs jobs.

    Args:
        devices: What is wanted, and how many at a time -> one entry a worker; see
            ``launch.devices``.
        launch: Jobs, what does them, the workers' devices and the end of the time ->
            outcomes, as they come; see ``launch.launch``.
        away: Whether workers are on other machines.
        travels: Whether these may have another store, so that files go along.
    """

    devices: Callable[[str, int | None], list[str]]
    launch: Launch
    away: bool = True
    travels: bool = False


HERE = Engine(launch.devices, launch.launch, away=False)


def chains(jobs: Iterable[Job]) -> list[list[Job]]:
    """Jobs, each behind that it comes after: what one worker does in turn."""
    found: dict[str, list[Job]] = {}
    for job in jobs:
        chain = found.get(job.after, [])
        chain.append(job)
        found[job.id] = chain
    return [chain for key, chain in found.items() if chain[0].id == key]


def in_turn(jobs: Iterable[Job], work: Work, device: str) -> Iterator[Outcome]:
    """Do jobs by one worker of this process, which stays for the next ones."""
    for job in jobs:
        worker = _idle.pop(device, None) or start(work, device)
        worker.assign(job)
        while (outcome := worker.collect(job)) is None:
            wait([worker.pipe, worker.process.sentinel], timeout=LOOK)
        if worker.sound(outcome):
            _idle[device] = worker
        else:
            worker.end()
        yield outcome


def lost(jobs: Iterable[Job], reason: str) -> list[Outcome]:
    """The outcomes of jobs whose node did not come back."""
    return [Outcome(job.id, "error", reason, None, lost=True) for job in jobs]
