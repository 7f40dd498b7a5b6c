#!/usr/bin/env python3
"""Commands of SLURM, for tests: jobs are processes here, a folder keeps their states.

Named by links ``sbatch``, ``srun``, ``sacct``, ``scancel`` and ``scontrol`` to it.
"""

import os
import re
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

HERE = Path(os.environ.get("FAKE_SLURM", ""))


def sbatch(script: str) -> None:
    text = Path(script).read_text()
    number = str(len(list(HERE.glob("*.script"))) + 1)
    (HERE / f"{number}.script").write_text(text)
    array = re.search(r"--array=0-(\d+)", text)
    for index in range(int(array[1]) + 1) if array else [None]:
        name = number if index is None else f"{number}_{index}"
        call = [sys.executable, str(Path(__file__).resolve()), "element", name, script]
        out = (HERE / f"{name}.out").open("w")
        subprocess.Popen(call, start_new_session=True, stdout=out, stderr=out)
    sys.stdout.write(f"Submitted batch job {number}\n")


def element(name: str, script: str) -> None:
    """One job, as often as it is put into the queue."""
    number, _, index = name.partition("_")
    array = {"SLURM_ARRAY_JOB_ID": number, "SLURM_ARRAY_TASK_ID": index}
    env = os.environ | {"SLURM_JOB_ID": number} | (array if index else {})
    (HERE / f"{name}.pid").write_text(str(os.getpid()))
    while True:
        (HERE / f"{name}.state").write_text("RUNNING")
        code = subprocess.run(["bash", script], env=env).returncode
        if not (HERE / f"{name}.requeue").exists():
            break
        (HERE / f"{name}.requeue").unlink()
    (HERE / f"{name}.state").write_text("NODE_FAIL" if code else "COMPLETED")


def srun(*words: str) -> None:
    rest = list(words)
    while rest[0].startswith("--"):
        option = rest.pop(0)
        if option in ("--output", "--error"):
            rest.pop(0)
    os.execvp(rest[0], rest)  # noqa: S606 - as srun becomes the job


def sacct(*words: str) -> None:
    del words
    lines = [f"{p.stem}|{p.read_text()}|here" for p in HERE.glob("*.state")]
    sys.stdout.write("\n".join(["JobID|State|NodeList", *lines]) + "\n")


def scancel(name: str) -> None:
    with suppress(ProcessLookupError):
        os.killpg(int((HERE / f"{name}.pid").read_text()), signal.SIGKILL)


def scontrol(verb: str, name: str) -> None:
    assert verb == "requeue"
    (HERE / f"{name}.requeue").touch()


if __name__ == "__main__":
    known = {f.__name__: f for f in (sbatch, srun, sacct, scancel, scontrol, element)}
    verb = Path(sys.argv[0]).name
    verb, *words = [verb, *sys.argv[1:]] if verb in known else sys.argv[1:]
    known[verb](*words)
