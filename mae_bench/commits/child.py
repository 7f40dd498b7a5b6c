"""A process of our own, with all that it starts: run, limited, and gone at the end."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
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
    or this process is interrupted.

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
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def last_line(text: str) -> str:
    r"""The last line with words, cut to ``REASON``, without colours and frames.

    >>> last_line("Traceback ...\nImportError: no module\n\n")
    'ImportError: no module'
    """
    plain = re.sub(r"\x1b\[[0-9;]*[A-Za-z]", "", text).replace("\r", "\n")
    lines = [line.strip(" \t│|·") for line in plain.splitlines()]
    worded = [line for line in lines if re.search(r"[A-Za-z]", line)]
    return worded[-1][:REASON] if worded else "it said nothing"
