"""The contract of engines: jobs in turn by one worker, each behind what it follows."""

import os
from typing import Any

from mae_bench.runs.engines import chains, in_turn, lost
from mae_bench.runs.worker import Job


def act(payload: Any, device: str) -> Any:
    if payload == "exit":
        os._exit(3)
    return os.getpid(), device


def test_a_chain_is_a_job_and_what_comes_after_it() -> None:
    jobs = [
        Job("a", 0, 1.0),
        Job("b", 0, 1.0),
        Job("a1", 0, 1.0, after="a"),
        Job("c", 0, 1.0, after="of another run"),
        Job("a2", 0, 1.0, after="a1"),
    ]
    found = [[job.id for job in chain] for chain in chains(jobs)]
    assert found == [["a", "a1", "a2"], ["b"], ["c"]]


def test_one_worker_does_them_all_unless_it_is_lost() -> None:
    jobs = [Job(str(i), p, 60.0) for i, p in enumerate([1, 2, "exit", 3])]
    first, second, third, fourth = in_turn(jobs, act, "cpu")
    assert first.result == second.result != fourth.result
    assert (third.status, third.lost) == ("error", True)
    (again,) = in_turn([Job("again", 4, 60.0)], act, "cpu")
    assert again.result == fourth.result, "it waits for the next jobs"


def test_what_is_lost_says_why() -> None:
    (end,) = lost([Job("a", 0, 1.0)], "no node came back")
    assert (end.id, end.status, end.reason, end.lost) == (
        "a",
        "error",
        "no node came back",
        True,
    )
