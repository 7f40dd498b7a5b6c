"""A number that methods are compared by."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Headline:
    """A number that methods are compared by: a column of the leaderboard.

    Args:
        target: Latent level or variant of the metric.
        token: Read-out of the encoder; empty where the metric chooses itself.
        fair: Whether methods are asked the same; if not, it is shown and not ranked.
        metric: Metric id, filled in by ``metric(...)``.
        direction: Which way is better, the metric's own; ``none`` is not ranked.
    """

    target: str = ""
    token: str = "mean"  # noqa: S105 - of an encoder, not of a password
    fair: bool = True
    metric: str = ""
    direction: Literal["max", "min", "none"] = "none"

    @property
    def name(self) -> str:
        """Column of the leaderboard."""
        return f"{self.metric}_{self.target}".rstrip("_")
