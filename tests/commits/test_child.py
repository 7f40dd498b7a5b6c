"""Processes that end well, badly, by a signal, too late, or with us."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from mae_bench.commits import child
from mae_bench.commits.child import last_line, run
from tests.processes import ended


def python(folder: Path, code: str, limit: float = 30.0) -> child.Ended:
    return run([sys.executable, "-c", code], folder, os.environ, limit)


def test_what_ends_well_has_no_reason(tmp_path: Path) -> None:
    code = (
        "import pathlib, sys; pathlib.Path('here').touch(); print('x', file=sys.stderr)"
    )
    assert python(tmp_path, code) == (0, "")
    assert (tmp_path / "here").exists()


def test_what_fails_says_why_in_its_last_line(tmp_path: Path) -> None:
    assert python(tmp_path, "import nothing_such") == (
        1,
        "ModuleNotFoundError: No module named 'nothing_such'",
    )
    assert python(tmp_path, "raise SystemExit(3)") == (3, "it said nothing")
    loud = "import sys; print('on stdout'); sys.exit(2)"
    assert python(tmp_path, loud) == (2, "on stdout")
    code, reason = run(
        [sys.executable, "-m", "nothing_such"], tmp_path, os.environ, 9.0
    )
    assert (code, reason) == (1, "No module named nothing_such")


def test_a_signal_is_named(tmp_path: Path) -> None:
    assert python(tmp_path, "import os; os.kill(os.getpid(), 15)") == (
        -15,
        "killed by SIGTERM",
    )


FAMILY = """
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
open("pid", "w").write(str(child.pid))
time.sleep(60)
"""


def test_what_is_too_late_ends_with_all_that_it_started(tmp_path: Path) -> None:
    start = time.monotonic()
    assert python(tmp_path, FAMILY, limit=1.0) == (None, "not done after 1 s")
    assert time.monotonic() - start < 20
    end = time.monotonic() + 10
    while not ended(int((tmp_path / "pid").read_text())):
        assert time.monotonic() < end
        time.sleep(0.01)


def test_an_interruption_of_ours_ends_it_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started = []

    class Interrupted(child.subprocess.Popen):
        def communicate(self, *_: object, **__: object) -> None:
            started.append(self.pid)
            raise KeyboardInterrupt

    monkeypatch.setattr(child.subprocess, "Popen", Interrupted)
    with pytest.raises(KeyboardInterrupt):
        python(tmp_path, "import time; time.sleep(60)")
    assert ended(started[0])


def test_the_last_line_is_without_colours_frames_and_progress() -> None:
    framed = "a\n\x1b[31m\u2502 No such option: --x \u2502\x1b[0m\n\u2570\u2500\u256f\n"
    assert last_line(framed) == "No such option: --x"
    assert last_line("1/2\r2/2 cells\r") == "2/2 cells"
    assert last_line("") == "it said nothing"
    assert len(last_line("x" * 999)) == 200


def test_it_ends_with_a_history_that_is_killed(tmp_path: Path) -> None:
    (tmp_path / "family.py").write_text(FAMILY)
    code = (
        "import os, pathlib, sys; from mae_bench.commits.child import run\n"
        "run([sys.executable, 'family.py'], pathlib.Path.cwd(), os.environ, 60.0)"
    )
    call = [sys.executable, "-c", code]
    with subprocess.Popen(call, cwd=tmp_path) as history:
        end = time.monotonic() + 30
        while not (tmp_path / "pid").exists() or not (tmp_path / "pid").read_text():
            assert time.monotonic() < end
            time.sleep(0.05)
        history.kill()
    child, end = int((tmp_path / "pid").read_text()), time.monotonic() + 5.0
    while not ended(child):
        assert time.monotonic() < end, "it outlives it"
        time.sleep(0.05)
