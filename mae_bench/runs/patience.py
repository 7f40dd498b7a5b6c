"""How many cells may fail before a run stops."""

from __future__ import annotations

from dataclasses import dataclass

from mae_bench.records.schema import Status


@dataclass
class Patience:
    """Counts failures, of one run or of several that follow each other.

    Args:
        most: At so many a run stops; without end if None.
        failed: Those so far.
    """

    most: int | None = None
    failed: int = 0

    def note(self, status: Status) -> None:
        """Take in how a cell ended."""
        self.failed += status not in ("ok", "skipped")

    @property
    def over(self) -> bool:
        """Whether to stop.

        >>> patience = Patience(most=1)
        >>> patience.over, patience.note("timeout"), patience.over
        (False, None, True)
        """
        return self.most is not None and self.failed >= self.most
