"""A number that somebody published, and by which protocol."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Published:
    """One number of a paper or a project, as it stands there.

    Args:
        method: Id of ours that is trained by its recipe.
        metric: Id of the instrument that comes nearest; empty if we have none.
        target: Of the instrument.
        value: The number.
        protocol: How it was come by.
        source: Where it is printed.
    """

    method: str
    metric: str
    target: str
    value: float
    protocol: str
    source: str

    def __str__(self) -> str:
        """The number in words."""
        return f"{self.method} {self.value:.3f} ({self.protocol}; {self.source})"
