"""What this machine has, asked in the same words on every system."""

from __future__ import annotations

import os
import platform
import re
import sys
from pathlib import Path


def cores() -> int:
    """How many processors this process may use."""
    usable = getattr(os, "sched_getaffinity", None)  # not everywhere
    return len(usable(0)) if usable else os.cpu_count() or 1


def memory() -> int:
    """Bytes of memory; 0 where the system does not tell."""
    if sys.platform == "win32":
        return 0
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def processor() -> str:
    """What the processor calls itself, or else its kind."""
    info = Path("/proc/cpuinfo")
    text = info.read_text() if info.exists() else ""
    found = re.search(r"^model name\s*:\s*(.+)$", text, re.MULTILINE)
    return found[1] if found else platform.processor() or platform.machine()


def of_row(device: str, versions: str) -> str:
    """The kind of processor that a row was computed on; empty where it does not say.

    Args:
        device: Of the row.
        versions: Likewise.

    >>> of_row("cuda NVIDIA H200 x 2", "torch=2.9 processor=AMD-EPYC-AVX512")
    'NVIDIA H200'
    >>> of_row("cpu x86_64", "torch=2.9 processor=AMD-EPYC-AVX512 node=a")
    'AMD-EPYC-AVX512'
    """
    kind, _, name = device.partition(" ")
    if kind == "cuda":
        return re.sub(r" x \d+$", "", name)
    found = re.search(r"(?:^| )processor=(\S+)", versions)
    return found[1] if found else ""
