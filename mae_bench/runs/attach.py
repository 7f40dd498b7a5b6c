"""Loggers and callbacks go along with every task, whoever runs it."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from typing import Any

from mae_bench.runs.engines import Launch, Outcomes
from mae_bench.runs.worker import Job, Work
from mae_bench.training.attached import Attached


def attaching(launch: Launch, attached: Attached) -> Launch:
    """An engine's ``launch``, whose tasks have something attached."""

    def go(
        jobs: Sequence[Job], work: Work, devices: Sequence[str], until: float
    ) -> Outcomes:
        with_it = [replace(job, payload=_with(job.payload, attached)) for job in jobs]
        with closing(launch(with_it, work, devices, until)) as outcomes:
            yield from outcomes

    return go


def _with(payload: Any, attached: Attached) -> Any:
    """A task, or several."""
    if isinstance(payload, tuple):
        return tuple(replace(task, attached=attached) for task in payload)
    return replace(payload, attached=attached)
