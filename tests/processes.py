"""What tests ask of the processes that they start."""

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any


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


def asleep(launch: Callable[..., Any]) -> Callable[..., Any]:
    """A launch whose workers sleep, for which they import nothing."""

    def launching(jobs: Any, work: Any, *where: Any) -> Any:
        del work
        return launch([replace(job, payload=None) for job in jobs], sleep, *where)

    return launching
