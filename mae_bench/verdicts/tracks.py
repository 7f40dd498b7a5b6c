"""What a method of the leaderboard is told: ranks are among those told the same."""

from __future__ import annotations

from collections.abc import Mapping

from mae_bench.datasets import Dataset
from mae_bench.records import registry
from mae_bench.records.schema import Track

OF_OTHERS: Track = "pixels"


def track_of(method: str, dataset: str, others: Mapping[str, Track]) -> Track:
    """The track of a method on a dataset.

    Args:
        method: Id, or the name of an encoder from elsewhere.
        dataset: Id; one that is no longer known can say nothing of its own.
        others: Encoders from elsewhere; of one that is not among them ``pixels``.
    """
    if method not in registry.names("methods"):
        return others.get(method, OF_OTHERS)
    known = dataset in registry.names("datasets")
    world = registry.load("datasets", dataset) if known else Dataset
    found: Track = registry.load("methods", method).told_on(world)
    return found
