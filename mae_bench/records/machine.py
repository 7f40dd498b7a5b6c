"""What this machine has, asked in the same words on every system."""

from __future__ import annotations

import os
import sys


def cores() -> int:
    """How many processors this process may use."""
    usable = getattr(os, "sched_getaffinity", None)  # not everywhere
    return len(usable(0)) if usable else os.cpu_count() or 1


def memory() -> int:
    """Bytes of memory; 0 where the system does not tell."""
    if sys.platform == "win32":
        return 0
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
