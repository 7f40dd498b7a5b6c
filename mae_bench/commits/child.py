"""A process of our own, with all that it starts: run, limited, and gone at the end."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

REASON = 200  # characters


class Ended(NamedTuple):
    """How a process ended.

    Args:
        code: Exit code; None if it outlived its limit.
        reason: The last line that it said, on stderr if it said anything there; or its
            signal. Empty for code 0.
    """

    code: int | None
    reason: str


def run(
    call: Sequence[str], folder: Path, env: Mapping[str, str], limit: float
) -> Ended:
    """Run a command in a folder.

    It has a process group of its own, which is killed whole when the limit is reached
    or this process is interrupted, or killed.

    Args:
        call: Program and words.
        folder: Its working directory.
        env: Its whole environment.
        limit: Seconds.
    """
    with subprocess.Popen(  # noqa: S603 (our own command line)
        call,
        cwd=folder,
        env=dict(env),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    ) as process:
        try:
            with _guarded(process):
                said, complained = process.communicate(timeout=limit)
        except subprocess.TimeoutExpired:
            _kill(process)
            return Ended(None, f"not done after {limit:g} s")
        except BaseException:
            _kill(process)
            raise
    code = process.returncode
    if code < 0:
        return Ended(code, f"killed by {signal.Signals(-code).name}")
    text = (complained.strip() or said).decode(errors="replace")
    return Ended(code, last_line(text).removeprefix(f"{call[0]}: ") if code else "")


def _kill(process: subprocess.Popen[bytes]) -> None:
    """End it with all that it started; where there are no groups, it ends alone."""
    if sys.platform == "win32":
        process.kill()
        return
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


# Reads until nobody is left who could write, and ends a group of processes.
_GUARD = "import os, sys; sys.stdin.read(); os.killpg(int(sys.argv[1]), 9)"


@contextmanager
def _guarded(process: subprocess.Popen[bytes]) -> Iterator[None]:
    """If this process is killed meanwhile, so is that one with all that it started."""
    if sys.platform == "win32":
        yield
        return
    call = [sys.executable, "-I", "-S", "-c", _GUARD, str(process.pid)]
    with subprocess.Popen(  # noqa: S603 (our own words)
        call, stdin=subprocess.PIPE, stderr=subprocess.DEVNULL, start_new_session=True
    ) as guard:
        try:
            yield
        finally:
            guard.kill()


def last_line(text: str) -> str:
    r"""The last line with words, cut to ``REASON``, without colours and frames.

    >>> last_line("Traceback ...\nImportError: no module\n\n")
    'ImportError: no module'
    """
    plain = re.sub(r"\x1b\[[0-9;]*[A-Za-z]", "", text).replace("\r", "\n")
    lines = [line.strip(" \t│|·") for line in plain.splitlines()]
    worded = [line for line in lines if re.search(r"[A-Za-z]", line)]
    return worded[-1][:REASON] if worded else "it said nothing"
