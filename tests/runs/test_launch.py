import multiprocessing
import os
import signal
import time
from typing import Any

import pytest

from mae_bench.records.machine import cores
from mae_bench.records.schema import UsageError
from mae_bench.runs.launch import devices, launch, precision
from mae_bench.runs.worker import WORKER_ENVIRONMENT, Job, Outcome


def act(payload: Any, device: str) -> Any:
    match payload:
        case "raise":
            raise ValueError("two\nlines")
        case "memory":
            raise MemoryError("too much")
        case "die":
            os.kill(os.getpid(), signal.SIGKILL)
        case "exit":
            os._exit(3)
        case "hang":
            time.sleep(60)
        case "environment":
            return {name: os.environ.get(name) for name in WORKER_ENVIRONMENT}
    return payload, device


def ran(payloads: list[Any], workers: int, limit: float = 30.0) -> dict[str, Outcome]:
    jobs = [Job(str(i), p, limit) for i, p in enumerate(payloads)]
    return {o.id: o for o in launch(jobs, act, ["cpu"] * workers)}


def test_a_lost_worker_loses_its_own_job_alone() -> None:
    payloads = ["die", 1, "raise", 2, "exit", 3, "memory"]
    found = ran(payloads, workers=2)
    assert {i: o.status for i, o in found.items()} == {
        "0": "error",
        "1": "ok",
        "2": "error",
        "3": "ok",
        "4": "error",
        "5": "ok",
        "6": "out_of_memory",
    }
    assert found["0"].reason == "its process was killed by signal 9"
    assert found["4"].reason == "its process exited with 3"
    assert found["2"].reason.startswith("ValueError: two lines (act:")
    assert found["5"].result == (3, "cpu")


def test_a_job_that_outlives_its_limit_is_stopped_and_the_rest_go_on() -> None:
    start = time.monotonic()
    found = ran(["hang", 1, 2], workers=1, limit=4.0)
    assert time.monotonic() - start < 30
    assert [found[i].status for i in "012"] == ["timeout", "ok", "ok"]
    assert found["0"].reason == "stood still for 4 s"


def test_workers_start_with_one_thread_and_large_malloc_thresholds() -> None:
    before = dict(os.environ)
    assert ran(["environment"], workers=1)["0"].result == WORKER_ENVIRONMENT
    assert dict(os.environ) == before


def test_without_workers_the_jobs_run_here() -> None:
    found = ran(["raise", 1], workers=0)
    assert [found[i].status for i in "01"] == ["error", "ok"]


def test_no_jobs_start_no_workers() -> None:
    assert ran([], workers=2) == {}


def test_one_worker_a_core_or_as_many_as_asked() -> None:
    assert devices("cpu", None) == ["cpu"] * cores()
    assert devices("cpu", 3) == ["cpu"] * 3
    assert devices("cpu", 0) == []


@pytest.mark.parametrize("workers", [0, 1])
def test_at_the_end_of_the_time_nothing_is_begun(workers: int) -> None:
    jobs = [Job(str(i), i, 30.0) for i in range(3)]
    over = time.monotonic() - 1.0
    assert list(launch(jobs, act, ["cpu"] * workers, over)) == []


def test_what_is_at_work_at_the_end_of_the_time_is_dropped() -> None:
    jobs = [Job("a", 1, 60.0), Job("b", "hang", 60.0), Job("c", 2, 60.0)]
    begun = time.monotonic()
    found = [o.id for o in launch(jobs, act, ["cpu"], begun + 12.0)]
    assert found == ["a"]
    assert time.monotonic() - begun < 30.0


def test_a_worker_may_have_several_gpus(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("torch.cuda.device_count", lambda: 2)
    assert devices("cuda", None) == ["cuda:0", "cuda:1"]
    assert devices("cuda:0,1", None) == ["cuda:0,1"]
    with pytest.raises(UsageError, match="no device 'cuda:0,2'"):
        devices("cuda:0,2", None)


def family(payload: Any, device: str) -> int:
    """Starts a process, as a worker of one processor may not."""
    del payload, device
    context = multiprocessing.get_context("fork")
    child = context.Process(target=os._exit, args=(7,))
    child.start()
    child.join()
    return child.exitcode or 0


def test_a_worker_over_several_processors_may_start_processes() -> None:
    (outcome,) = launch([Job("a", None, 60.0)], family, ["cpu:0,1"])
    assert (outcome.status, outcome.result) == ("ok", 7)


def test_auto_takes_the_fastest_kind_that_there_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert devices("auto", 2) == ["cpu"] * 2
    monkeypatch.setattr("torch.backends.mps.is_available", lambda: True)
    assert devices("auto", None) == devices("mps", None) == ["mps"]
    assert precision(devices("auto", None)) == "32-true"
    assert devices("auto", 0) == []
    monkeypatch.setattr("torch.cuda.device_count", lambda: 1)
    assert devices("auto", None) == ["cuda:0"]


def test_a_gpu_that_no_worker_would_use_is_not_left_idle_in_silence(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("torch.cuda.device_count", lambda: 1)
    with pytest.raises(UsageError, match=r"--jobs 0.*on the CPU.*choose --jobs 1"):
        devices("cuda", 0)


def process_of(payload: Any, device: str) -> int:
    del device
    if payload == "raise":
        raise RuntimeError("CUDA error: device-side assert triggered")
    return os.getpid()


@pytest.mark.parametrize(("device", "again"), [("cpu", True), ("cuda:0", False)])
def test_a_gpus_worker_is_not_used_again_after_a_failure(
    device: str, *, again: bool
) -> None:
    jobs = [Job(str(i), p, 60.0) for i, p in enumerate([1, "raise", 2, 3])]
    found = {o.id: o.result for o in launch(jobs, process_of, [device])}
    assert (found["0"] == found["2"]) is again
    assert found["2"] == found["3"]


@pytest.mark.parametrize("name", ["tpu", "mps", "cuda:99", "CPU"])
def test_an_absent_device_is_named(name: str) -> None:
    with pytest.raises(UsageError, match=name):
        devices(name, None)


def pause(payload: Any, device: str) -> float:
    del device
    time.sleep(payload)
    return time.monotonic()


@pytest.mark.parametrize("workers", [0, 1, 3])
def test_a_job_begins_when_the_one_that_it_comes_after_has_ended(workers: int) -> None:
    jobs = [
        Job("long", 0.5, 30.0),
        Job("later", 0.0, 30.0, after="long"),
        Job("last", 0.0, 30.0, after="later"),
        Job("free", 0.0, 30.0, after="of another run"),
    ]
    ends = {o.id: o.result for o in launch(jobs, pause, ["cpu"] * workers)}
    assert len(ends) == 4
    assert ends["long"] < ends["later"] < ends["last"]
    if workers > 1:
        assert ends["free"] < ends["long"]


def test_what_comes_after_a_job_that_is_lost_is_done_all_the_same() -> None:
    jobs = [Job("0", "die", 30.0), Job("1", "fine", 30.0, after="0")]
    outcomes = {o.id: o.status for o in launch(jobs, act, ["cpu"] * 2)}
    assert outcomes == {"0": "error", "1": "ok"}
