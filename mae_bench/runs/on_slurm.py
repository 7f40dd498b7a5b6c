"""Cells as arrays of SLURM jobs, by submitit.

A job that is preempted, or runs out of its time, is put into the queue again and finds
in the store what it had kept; so is one whose node died.
"""

from __future__ import annotations

import importlib
import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from mae_bench.records.schema import UsageError
from mae_bench.runs.engines import (
    LOOK,
    RETRIES,
    Engine,
    Outcomes,
    chains,
    in_turn,
    lost,
)
from mae_bench.runs.worker import Job, Outcome, Work

# Elements of an array that run at once.
AT_ONCE = 64
# Seconds between two questions for the states of jobs that say nothing.
ASK = 30.0
# A job has this many times the limits of its cells, unless --slurm time= says more.
_TIMES = 2.0
_GPU = ("gres", "gpus", "gpus_per_node", "gpus_per_task")


@contextmanager
def opened(settings: Sequence[str], store: Path) -> Iterator[Engine]:
    """SLURM, for as long as it is used.

    Args:
        settings: ``KEY=VALUE``, as ``sbatch`` has them: ``partition=gpu``.
        store: Folder that all nodes see; what submitit writes goes to ``slurm`` in it.

    Raises:
        UsageError: submitit is not installed, there is no SLURM here, or a setting is
            none.
    """
    if find_spec("submitit") is None:
        raise UsageError("--on slurm needs submitit: pip install 'mae_bench[slurm]'")
    lacking = [name for name in ("sbatch", "srun") if shutil.which(name) is None]
    if lacking:
        raise UsageError(f"no SLURM here: there is no {' and no '.join(lacking)}")
    given = _given(settings)
    submitit = importlib.import_module("submitit")
    folder = store.absolute() / "slurm"
    executor = submitit.SlurmExecutor(folder=folder, max_num_timeout=RETRIES)
    yield engine(executor, given)


def _given(settings: Sequence[str]) -> dict[str, str]:
    """Settings by name, as submitit spells them."""
    found = {}
    for word in settings:
        name, sign, value = word.partition("=")
        if not sign or not name or not value:
            raise UsageError(f"--slurm {word}: say KEY=VALUE, as sbatch has it")
        found[name.lstrip("-").replace("-", "_")] = value
    return found


def engine(executor: Any, given: dict[str, str]) -> Engine:
    """An executor of submitit as an engine.

    Args:
        executor: Its parameters are set before every array.
        given: Settings of ``sbatch``.
    """

    def devices(wanted: str, jobs: int | None) -> list[str]:
        gpu = any(name in given for name in _GPU)
        kind = {"auto": "cuda" if gpu else "cpu"}.get(wanted, wanted)
        if kind not in ("cpu", "cuda") or jobs == 0:
            raise UsageError("with --on slurm: --device auto, cpu or cuda; --jobs 1 on")
        return [kind if kind == "cpu" else "cuda:0"] * (jobs or AT_ONCE)

    def launch(
        jobs: Sequence[Job], work: Work, devices: Sequence[str], until: float
    ) -> Outcomes:
        turns = chains(jobs)
        if not turns or time.monotonic() >= until:
            return
        executor.update_parameters(**_parameters(executor, given, turns, len(devices)))
        done = _Doing(work, devices[0])
        busy = dict(zip(executor.map_array(done, turns), turns, strict=True))
        tried = dict.fromkeys(busy, 0)
        asked = time.monotonic()
        try:
            while busy and time.monotonic() < until:
                ask = time.monotonic() - asked > ASK
                asked = time.monotonic() if ask else asked
                ended = [job for job in busy if job.done(force_check=ask)]
                for job in ended:
                    chain, tries = busy.pop(job), tried.pop(job)
                    outcomes, again = _ended(job, chain, tries)
                    if again:
                        anew = executor.submit(done, chain)
                        busy[anew], tried[anew] = chain, tries + 1
                    yield from outcomes
                if not ended:
                    time.sleep(LOOK)
        finally:
            for job in busy:
                with suppress(OSError):
                    job.cancel(check=False)

    return Engine(devices, launch)


def _parameters(
    executor: Any, given: dict[str, str], turns: list[list[Job]], at_once: int
) -> dict[str, Any]:
    """What ``sbatch`` is told, in submitit's words where it has some."""
    longest = max(sum(job.time_limit for job in chain) for chain in turns)
    ours: dict[str, Any] = {
        "job_name": "mae-bench",
        "time": max(5, round(_TIMES * longest / 60)),
        "array_parallelism": at_once,
        "cpus_per_task": 1,
    }
    known = executor._valid_parameters()
    theirs = {name: value for name, value in given.items() if name in known}
    more = {"requeue": True} | {n: v for n, v in given.items() if n not in known}
    if "time" in given:
        ours["time"] = minutes(theirs.pop("time"))
    return ours | theirs | {"additional_parameters": more}


def minutes(word: str) -> int:
    """A time of SLURM in minutes, rounded up.

    >>> minutes("90"), minutes("02:00:00"), minutes("1-12")
    (90, 120, 2160)

    Raises:
        UsageError: It is none.
    """
    days, sign, rest = word.rpartition("-")
    try:
        parts = [int(part) for part in rest.split(":")]
        if sign:
            hours, least, seconds = (*parts, 0, 0)[:3]
        else:
            padded = [0, *parts, 0] if len(parts) == 1 else [0, *parts]
            hours, least, seconds = padded[-3:]
        total = 1440 * int(days or 0) + 60 * hours + least + -(-seconds // 60)
    except ValueError:
        total = 0
    if total <= 0:
        raise UsageError(f"--slurm time={word}: say minutes, HH:MM:SS or DAYS-HH")
    return total


class _Doing:
    """Does jobs in turn (on a node); what is interrupted is begun again there."""

    def __init__(self, work: Work, device: str) -> None:
        self.work, self.device = work, device

    def __call__(self, jobs: list[Job]) -> list[Outcome]:
        return [*in_turn(jobs, self.work, self.device)]

    def checkpoint(self, jobs: list[Job]) -> Any:
        """What submitit puts into the queue again."""
        helpers = importlib.import_module("submitit.helpers")
        return helpers.DelayedSubmission(self, jobs)


def _ended(job: Any, chain: list[Job], tries: int) -> tuple[list[Outcome], bool]:
    """Outcomes of an array's element, or whether it is to be tried again."""
    if job.paths.result_pickle.exists():
        error = job.exception()
        if error is None:
            return job.result(), False
        reason = [line for line in str(error).splitlines() if line.strip(" -")]
        return lost(chain, " ".join(reason[-1:])[:200]), False
    if tries < RETRIES:
        return [], True
    return lost(chain, f"SLURM job {job.job_id} ended as {job.state}"), False
