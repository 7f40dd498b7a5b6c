"""What holds for every metric: a new file is covered by being there."""

import math
from typing import get_args

import pytest

from mae_bench.metrics import Direction
from mae_bench.records import registry
from mae_bench.runs.score import READERS


@pytest.mark.parametrize("name", registry.names("metrics"))
def test_a_metric_declares_its_facts(name: str) -> None:
    metric = registry.load("metrics", name)
    assert metric.id == name
    assert metric.direction in get_args(Direction)
    assert metric.reads in READERS
    assert metric.lower < metric.upper
    for value in (metric.best, metric.chance):
        if math.isfinite(value):
            assert metric.lower <= value <= metric.upper
    if metric.direction == "target":
        assert math.isfinite(metric.best)
    assert metric.version >= 1
    assert metric.source
    streams = metric.reads in ("features", "pairs", "reconstruction")
    assert (metric.stream is not None) == streams
    assert metric.__doc__
