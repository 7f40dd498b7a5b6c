"""What tests ask of the processes that they start."""

from pathlib import Path


def ended(pid: int) -> bool:
    """Whether a process is no more, but for what its parent may ask."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return True
    return stat.rpartition(")")[2].split()[0] == "Z"
