"""What is known of a worker from outside: its time, its end, its device."""

import os
import signal
import time
from typing import Any

import pytest

from mae_bench.runs import worker as module
from mae_bench.runs.worker import Job, LostDevice, Outcome, attempt, check, start


def act(payload: Any, device: str) -> Any:
    del device
    if payload == "spin":
        while True:
            pass
    if payload == "slow":  # a machine that is busy with others gives it a tenth
        end = time.monotonic() + 6.0
        while time.monotonic() < end:
            time.sleep(0.09)
            until = time.process_time() + 0.01
            while time.process_time() < until:
                pass
    if payload == "hang":
        time.sleep(60)
    if payload == "ctrl-c":
        os.kill(os.getpid(), signal.SIGINT)
    return payload


def ended(payload: Any, limit: float, device: str = "cpu") -> Outcome:
    worker, job = start(act, device), Job("0", payload, limit)
    try:
        # Its own start is not what is timed here.
        while not worker.used.value:
            time.sleep(0.05)
        worker.assign(job)
        while (outcome := worker.collect(job)) is None:
            time.sleep(0.05)
        return outcome
    finally:
        worker.end()


def test_a_worker_that_died_while_idle_is_found_dead_with_its_next_job() -> None:
    worker, job = start(act, "cpu"), Job("0", 1, 30.0)
    worker.end()
    worker.assign(job)
    reason = "its process was killed by signal 9"
    assert worker.collect(job) == Outcome("0", "error", reason, None, lost=True)


def test_a_limit_counts_the_time_of_a_processor() -> None:
    begun = time.monotonic()
    assert ended("spin", 2.0) == Outcome("0", "timeout", "ran over 2 s", None, True)
    assert time.monotonic() - begun < 30


def test_a_job_that_moves_on_a_busy_machine_outlives_its_limit_by_the_clock() -> None:
    assert ended("slow", 2.0).status == "ok"


def test_a_job_that_uses_no_processor_is_stopped() -> None:
    begun = time.monotonic()
    assert ended("hang", 2.0).reason == "stood still for 2 s"
    assert time.monotonic() - begun < 30


def test_one_that_waits_for_processes_of_its_own_does_not_stand_still() -> None:
    assert ended("hang", 3.0, "cpu:0,1").reason == "ran over 3 s"


def test_ctrl_c_is_not_for_workers() -> None:
    assert ended("ctrl-c", 30.0).status == "ok"


def test_a_gpu_that_answers_no_more_is_told_from_a_failed_metric(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    check("cpu")
    monkeypatch.setattr("torch.cuda.synchronize", lambda _: None)
    check("cuda:0")

    def poisoned(_: str) -> None:
        raise RuntimeError("CUDA error: device-side assert triggered\nCompile with")

    monkeypatch.setattr("torch.cuda.synchronize", poisoned)
    with pytest.raises(LostDevice, match=r"triggered$"):
        check("cuda:0")
    found = attempt(lambda _, device: check(device), Job("0", 1, 1.0), "cuda:0")
    assert found.lost
    assert "device-side assert" in found.reason


def test_the_environment_is_put_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    monkeypatch.delenv("MALLOC_TOP_PAD_", raising=False)
    before = dict(os.environ)
    with module.environment(module.WORKER_ENVIRONMENT):
        assert os.environ["OMP_NUM_THREADS"] == "1"
    assert dict(os.environ) == before
