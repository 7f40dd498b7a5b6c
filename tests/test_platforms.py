"""What other systems lack is not called: a run without it, and what mypy knows of them.

``make check`` asks mypy for each system; here the calls are taken away, and it runs.
"""

import os
import subprocess
import sys
from pathlib import Path

import pandas as pd

# Every process of the run begins with it. Others' code has asked which system it is on,
# and is given what that has; ours has not, and is not.
WITHOUT = """
import os, signal, sys, types

ABSENT = {{
    os: "sched_getaffinity sched_setaffinity setsid getsid killpg getpgid setpgid "
    "getpgrp getuid geteuid getgid getegid getgroups fork forkpty mkfifo mknod chown "
    "lchown fchmod fchown nice getloadavg sysconf uname wait wait3 wait4 waitid pread "
    "pwrite posix_fadvise posix_spawn sync statvfs",
    signal: "SIGKILL SIGHUP SIGUSR1 SIGUSR2 SIGALRM SIGCHLD SIGQUIT SIGSTOP SIGCONT "
    "alarm setitimer pause sigwait pthread_kill",
}}


def without(names):
    class Lacking(types.ModuleType):
        def __getattribute__(self, name):
            asks = sys._getframe(1).f_code.co_filename
            if name in names and asks.startswith({house!r}):
                raise AttributeError(f"{{name}} is not there on every system")
            return super().__getattribute__(name)

    return Lacking


for module, names in ABSENT.items():
    module.__class__ = without(set(names.split()))
for name in "fcntl resource pwd grp termios tty syslog".split():
    sys.modules[name] = None
"""
HOUSE = Path(__file__).parent.parent


def test_smoke_runs_without_what_one_system_has_alone(tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(
        WITHOUT.format(house=str(HOUSE / "mae_bench"))
    )
    env = os.environ | {
        "PYTHONPATH": os.pathsep.join([str(tmp_path), str(HOUSE)]),
        "OMP_NUM_THREADS": "1",
    }
    call = [sys.executable, "-m", "mae_bench.cli", "run", "--tier", "smoke"]
    call += ["--experiment", "uniformity", "--dataset", "gaussian_tree"]
    call += ["--seeds", "1", "--jobs", "1"]
    done = subprocess.run(
        call, cwd=tmp_path, env=env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    rows = pd.read_csv(tmp_path / "my_results/smoke/measurements/uniformity.csv")
    assert set(rows["status"]) <= {"ok", "skipped"}
