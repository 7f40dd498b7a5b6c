"""Cells done, failures so far and time left: a bar on a terminal, else plain lines."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn
from rich.progress import Progress as Bar

PLAIN_EVERY = 10.0  # seconds between two plain lines

Tell = Callable[[str, str, str], None]


def left(done: int, total: int, seconds: float) -> str:
    """Time that the remaining cells will take at the pace so far.

    >>> left(10, 40, 60.0)
    '3:00 left'
    """
    if not done:
        return "time left unknown"
    return f"{clock(seconds / done * (total - done))} left"


def clock(seconds: float) -> str:
    """Minutes and seconds, or hours before them.

    >>> clock(185.0), clock(7385.0)
    ('3:05', '2:03:05')
    """
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


@contextmanager
def progress(total: int, console: Console) -> Iterator[Tell]:
    """Gives ``tell(cell, status, reason)``, to be called after every cell.

    Args:
        total: Number of cells that will be run.
        console: Where to; what is printed there meanwhile stands above the bar.
    """
    failed: Counter[str] = Counter()
    start, done, spoken = time.monotonic(), 0, time.monotonic()
    bar = Bar(
        TextColumn("cells"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[note]}"),
        console=console,
        disable=not console.is_terminal,
    )

    def note() -> str:
        losses = ", ".join(f"{n} {status}" for status, n in sorted(failed.items()))
        rest = left(done, total, time.monotonic() - start)
        return f"{losses or '0 failed'} · {rest}"

    def tell(cell: str, status: str, reason: str) -> None:
        nonlocal done, spoken
        done += 1
        if status != "ok":
            failed[status] += 1
            console.print(
                f"{status}: {cell}: {reason}",
                style="red",
                markup=False,
                emoji=False,
                highlight=False,
            )
        bar.update(task, completed=done, note=note())
        silent = time.monotonic() - spoken
        if not console.is_terminal and (silent > PLAIN_EVERY or done == total):
            spoken = time.monotonic()
            console.print(f"cells {done}/{total} · {note()}", highlight=False)

    with bar:
        task = bar.add_task("cells", total=total, note=note())
        yield tell
