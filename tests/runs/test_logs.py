"""A cell's log has what was printed for it, and nothing is lost to it but that."""

import ctypes
import sys
from pathlib import Path

import pytest

from mae_bench.records.schema import UsageError
from mae_bench.runs import logs
from mae_bench.runs.launch import launch
from mae_bench.runs.worker import Job


def speak(payload: tuple[str, str], device: str) -> int:
    store, key = Path(payload[0]), payload[1]
    with logs.kept(store, key, f"cell {key}", device):
        sys.stdout.write(f"out of {key}\n")
        sys.stderr.write(f"err of {key}\n")
        ctypes.CDLL(None).puts(b"from below")
        ctypes.CDLL(None).fflush(None)
        if key == "bad":
            raise LookupError("no images")
    return 3


def test_a_process_of_its_own_prints_to_its_cells_log(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    jobs = [Job(key, (str(tmp_path), key), 60.0) for key in ("good", "bad", "good")]
    assert [o.status for o in launch(jobs, speak, ["cpu"])] == ["ok", "error", "ok"]
    good = logs.path_of(tmp_path, "good").read_text()
    assert good.count("out of good") == good.count("err of good") == 2
    assert good.count("from below") == good.count(", cpu, process ") == 2
    assert "bad" not in good
    bad = logs.path_of(tmp_path, "bad").read_text()
    assert "LookupError: no images" in bad
    assert 'raise LookupError("no images")' in bad, "the way to it"
    said = capfd.readouterr()
    assert "good" not in said.out + said.err


def test_here_what_is_printed_is_printed(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert speak((str(tmp_path), "good"), "cpu") == 3
    assert "out of good" in capfd.readouterr().out
    (line,) = logs.path_of(tmp_path, "good").read_text().splitlines()
    assert line.startswith("-- ")
    assert line.endswith("cell good")


def test_a_log_grows_by_attempts_and_not_without_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for line in ("one", "two"):
        logs.note(tmp_path, "a", line)
    assert logs.path_of(tmp_path, "a").read_text() == "one\ntwo\n"
    monkeypatch.setattr(logs, "LONGEST", 5)
    logs.note(tmp_path, "a", "three")
    assert logs.path_of(tmp_path, "a").read_text() == "three\n"


def test_a_disk_that_takes_no_log_costs_no_cell(tmp_path: Path) -> None:
    (tmp_path / "logs").write_text("a file in its place")
    assert speak((str(tmp_path), "good"), "cpu") == 3
    jobs = [Job("good", (str(tmp_path), "good"), 60.0)]
    assert [o.status for o in launch(jobs, speak, ["cpu"])] == ["ok"]


def test_logs_move_from_one_store_to_another(tmp_path: Path) -> None:
    for store, line in (("a", "first"), ("b", "then")):
        logs.note(tmp_path / store, "k", line)
    logs.move(tmp_path / "b", tmp_path / "a")
    assert logs.path_of(tmp_path / "a", "k").read_text() == "first\nthen\n"


def test_a_cell_is_found_by_the_beginning_of_its_key(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no logs in"):
        logs.find(tmp_path, "ab")
    for key in ("abcd1234", "abff5678", "c0ffee00"):
        logs.note(tmp_path, key, "x")
    assert logs.find(tmp_path, "C0").stem == "c0ffee00"
    assert logs.find(tmp_path, "[abcd1234]").stem == "abcd1234"
    with pytest.raises(UsageError, match="2 cells begin with 'ab': abcd1234, abff"):
        logs.find(tmp_path, "ab")
    with pytest.raises(UsageError, match=r"'c0ffee01' in .*; did you mean c0ffee00\?"):
        logs.find(tmp_path, "c0ffee01")
    with pytest.raises(UsageError, match="it has 3 others"):
        logs.find(tmp_path, "zzz")
