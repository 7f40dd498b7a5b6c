"""Where a number comes from: commit, libraries and processor."""

from __future__ import annotations

import platform
import subprocess
from importlib.metadata import version
from pathlib import Path

from mae_bench import __version__
from mae_bench.records.machine import processor
from mae_bench.records.store import Record
from mae_bench.training.places import places

LIBRARIES = ("torch", "lightning", "numpy", "kornia")


def code() -> Record:
    """Commit of the package's checkout and whether its code differs from it.

    Empty where our own files are not the repository's: installed into an environment
    that lies in somebody's project, they have the version alone.
    """
    file = Path(__file__).resolve()
    here = file.parent.parent

    def git(*words: str) -> str:
        call = ["git", "-C", str(here), *words]
        try:
            done = subprocess.run(call, capture_output=True, text=True, check=True)  # noqa: S603 (fixed words)
        except (OSError, subprocess.CalledProcessError):
            return ""
        return done.stdout.strip()

    if not git("ls-files", "--", str(file)):
        return {"commit": "", "dirty": False}
    return {
        "commit": git("rev-parse", "--short=12", "HEAD"),
        "dirty": bool(git("status", "--porcelain", "--", str(here))),
    }


def machine(device: str) -> Record:
    """Versions of the libraries, the processor, and what ``device`` is called.

    Where all are the same, so are the sums: torch and its libraries choose their loops
    by the processor, which is named with the instructions that torch uses of it.
    """
    import torch

    here = places(device)
    words = [*processor().split(), torch.backends.cpu.get_cpu_capability()]
    name = (
        torch.cuda.get_device_name(here[0])
        if device.startswith("cuda")
        else platform.machine()
    )
    several = f" x {len(here)}" if len(here) > 1 else ""
    return {
        "versions": " ".join(
            [
                f"mae_bench={__version__}",
                *(f"{lib}={version(lib)}" for lib in LIBRARIES),
                f"processor={'-'.join(words)}",
            ]
        ),
        "device": f"{device.partition(':')[0]} {name}{several}",
    }
