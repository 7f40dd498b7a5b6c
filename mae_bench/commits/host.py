"""This machine as asv describes one, in words that do not move with its kernel."""

from __future__ import annotations

import os
import platform
import re

from mae_bench.records.machine import memory, processor
from mae_bench.records.store import Record


def this_machine() -> Record:
    """Content of a ``machine.json``: machine, os, arch, cpu, num_cpu, ram.

    The name is the processor's: results of equal machines are one series.
    """
    cpu = processor()
    return {
        "machine": machine_name(cpu),
        "os": platform.system(),
        "arch": platform.machine(),
        "cpu": cpu,
        "num_cpu": str(os.cpu_count()),
        "ram": f"{round(memory() / 2**30)}GB",
    }


def machine_name(words: str) -> str:
    """A folder's name.

    >>> machine_name("Intel(R) Xeon(R) CPU @ 2.50GHz")
    'intel-r-xeon-r-cpu-2-50ghz'
    """
    return re.sub(r"[^a-z0-9]+", "-", words.lower()).strip("-") or "machine"
