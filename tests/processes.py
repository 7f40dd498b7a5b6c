"""What tests ask of the processes that they start.

Some of these import it and are to be there at once: it imports nothing that is heavy.
"""

import multiprocessing as mp
import os
import signal
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

# A copy of this process imports nothing anew, which takes seconds; but on other systems
# than Linux it is not safe.
START = "fork" if sys.platform == "linux" else "spawn"


def ended(pid: int) -> bool:
    """Whether a process is no more, but for what its parent may ask."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return True
    return stat.rpartition(")")[2].split()[0] == "Z"


def sleep(*_: Any) -> None:
    """A worker's work that goes on for longer than a test would wait."""
    time.sleep(60)


def asleep() -> None:
    """From now on workers sleep, for which they import nothing."""
    from mae_bench.runs import measure

    launch = measure.launch

    def launching(jobs: Any, work: Any, *where: Any) -> Any:
        del work
        return launch([replace(job, payload=None) for job in jobs], sleep, *where)

    measure.launch = launching


def copied() -> None:
    """From now on workers are copies of the process that starts them."""
    from mae_bench.runs import worker

    context = mp.get_context(START)
    worker.mp.get_context = lambda _: context


def start(
    words: Sequence[str], folder: Path, *before: Callable[[], object]
) -> BaseProcess:
    """The command line in a process of its own, and that in a group of its own.

    Args:
        words: Of the command line.
        folder: What it says is written to ``out`` and ``err`` there.
        before: Called in that process first.
    """
    folder.mkdir(parents=True, exist_ok=True)
    given = (list(words), folder, before)
    process = mp.get_context(START).Process(target=_command, args=given)
    process.start()
    return process


def _command(
    words: list[str], folder: Path, before: Sequence[Callable[[], object]]
) -> None:
    import torch
    from jaxtyping import config

    from mae_bench.cli import app

    os.setsid()
    config.update("jaxtyping_disable", True)
    mp.process._parent_process = None  # as of one that a shell has started
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for name in ("SIGTERM", "SIGHUP"):
        signal.signal(getattr(signal, name), signal.SIG_DFL)
    # In a copy of a process that has used several threads these would be waited for.
    torch.set_num_threads(1)
    for number, name in ((1, "out"), (2, "err")):
        file = (folder / name).open("w", buffering=1)
        os.dup2(file.fileno(), number)  # what it starts is heard as well
        setattr(sys, f"std{name}", file)
    for call in before:
        call()
    app(words, prog_name="mae-bench")
