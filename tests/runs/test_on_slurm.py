"""Arrays of a SLURM that is a script of the tests; and submitit's own processes."""

import math
import os
import signal
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from mae_bench.records.schema import UsageError
from mae_bench.runs import on_slurm
from mae_bench.runs.on_slurm import minutes, opened
from mae_bench.runs.worker import Job

submitit = pytest.importorskip("submitit", reason="the extra slurm is not installed")
FAKE = Path(__file__).parent.parent / "slurm.py"


@pytest.fixture
def slurm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Its folder; what it started ends with the test."""
    here, commands = tmp_path / "fake", tmp_path / "bin"
    here.mkdir()
    commands.mkdir()
    for name in ("sbatch", "srun", "sacct", "scancel", "scontrol"):
        (commands / name).symlink_to(FAKE)
    monkeypatch.setenv("FAKE_SLURM", str(here))
    monkeypatch.setenv("PATH", f"{commands}{os.pathsep}{os.environ['PATH']}")
    path = f"{FAKE.parent.parent}{os.pathsep}{Path(__file__).parent}"
    monkeypatch.setenv("PYTHONPATH", path)
    monkeypatch.syspath_prepend(Path(__file__).parent)
    monkeypatch.setattr(on_slurm, "ASK", 1.0)
    yield here
    for file in here.glob("*.pid"):
        with suppress(ProcessLookupError):
            os.killpg(int(file.read_text()), signal.SIGKILL)


def act(payload: tuple[str, str], device: str) -> Any:
    """What happens to a job the first time, and what it gives then."""
    what, folder = payload
    first = Path(folder, what)
    if not first.exists():
        first.touch()
        parent = os.getppid()
        if what == "preempted":
            os.kill(parent, signal.SIGTERM)
            os.kill(parent, signal.SIGUSR2)
            time.sleep(60)
        if what == "lost":
            os.kill(parent, signal.SIGKILL)
            time.sleep(60)
    if what == "raises":
        raise LookupError("no images")
    return what, device


def idle(payload: tuple[str, str], device: str) -> None:
    """Outlive the test."""
    del payload, device
    time.sleep(60)


def test_an_array_of_jobs_whose_nodes_die_and_are_taken_away(
    slurm: Path, tmp_path: Path
) -> None:
    from test_on_slurm import act as work  # by a name that a node can import

    words = ("fine", "preempted", "lost", "raises")
    jobs = [Job(word, (word, str(tmp_path)), 60.0) for word in words]
    jobs.append(Job("after", ("after", str(tmp_path)), 60.0, after="fine"))
    settings = ["partition=tiny", "time=00:10:00", "--qos=low", "reservation=mine"]
    with opened(settings, tmp_path) as engine:
        devices = engine.devices("auto", 2)
        ends = {o.id: o for o in engine.launch(jobs, work, devices, math.inf)}
    assert {key: end.status for key, end in ends.items()} == {
        "fine": "ok",
        "after": "ok",
        "preempted": "ok",
        "lost": "ok",
        "raises": "error",
    }
    assert ends["lost"].result == ("lost", "cpu")
    assert ends["raises"].reason.startswith("LookupError: no images (act:")
    script = (slurm / "1.script").read_text()
    for line in ("array=0-3%2", "partition=tiny", "time=10", "qos=low", "requeue"):
        assert f"#SBATCH --{line}" in script
    assert "#SBATCH --reservation=mine" in script
    assert "--array" not in (slurm / "2.script").read_text(), "the lost one alone"


def test_what_is_at_work_at_the_end_of_the_time_is_cancelled(
    slurm: Path, tmp_path: Path
) -> None:
    from test_on_slurm import idle as work

    with opened([], tmp_path) as engine:
        jobs = [Job(word, (word, str(tmp_path)), 60.0) for word in ("a", "b")]
        begun = time.monotonic()
        found = list(engine.launch(jobs, work, ["cpu"], begun + 2.0))
    assert found == []
    assert not [p for p in slurm.glob("*.pid") if not ended(int(p.read_text()))]


def ended(pid: int) -> bool:
    for _ in range(50):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        if state == "Z":
            return True
        time.sleep(0.1)
    return False


def test_a_job_that_dies_again_and_again_is_a_row_with_its_reason() -> None:
    class Dead:
        job_id, state = "7_3", "NODE_FAIL"

        class paths:  # noqa: N801 - as submitit has it
            result_pickle = Path("nowhere")

    jobs = [Job("a", None, 1.0), Job("b", None, 1.0)]
    assert on_slurm._ended(Dead(), jobs, 0) == ([], True)
    outcomes, again = on_slurm._ended(Dead(), jobs, on_slurm.RETRIES)
    assert not again
    assert [(o.id, o.lost) for o in outcomes] == [("a", True), ("b", True)]
    assert {o.reason for o in outcomes} == {"SLURM job 7_3 ended as NODE_FAIL"}


def test_submitits_own_processes_are_an_engine_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent))
    monkeypatch.syspath_prepend(Path(__file__).parent)
    from test_on_slurm import act as work

    engine = on_slurm.engine(submitit.LocalExecutor(folder=tmp_path / "own"), {})
    jobs = [Job("fine", ("fine", str(tmp_path)), 60.0)]
    (end,) = engine.launch(jobs, work, engine.devices("cpu", 1), math.inf)
    assert (end.status, end.result) == ("ok", ("fine", "cpu"))


def test_a_gpu_is_used_where_one_is_asked_for(slurm: Path, tmp_path: Path) -> None:
    del slurm
    for setting in ("gres=gpu:1", "gpus-per-node=1"):
        with opened([setting], tmp_path) as engine:
            assert engine.devices("auto", 3) == ["cuda:0"] * 3
    with opened([], tmp_path) as engine:
        assert engine.devices("auto", None) == ["cpu"] * on_slurm.AT_ONCE
        with pytest.raises(UsageError, match="--device auto, cpu or cuda"):
            engine.devices("mps", 1)


@pytest.mark.parametrize("word", ["partition", "=x", "time="])
def test_a_setting_that_is_none_is_named(
    slurm: Path, tmp_path: Path, word: str
) -> None:
    del slurm
    with pytest.raises(UsageError, match="say KEY=VALUE"), opened([word], tmp_path):
        pass


@pytest.mark.parametrize(
    ("word", "value"),
    [("5", 5), ("30:00", 30), ("2:00:00", 120), ("1-0", 1440), ("1-12:30", 2190)],
)
def test_times_of_slurm_are_minutes(word: str, value: int) -> None:
    assert minutes(word) == value
    with pytest.raises(UsageError, match="say minutes"):
        minutes(f"{word}x")
