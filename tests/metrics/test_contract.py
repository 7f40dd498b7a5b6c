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
    unit = metric.unit
    assert all(unit.values()) and "*" in unit if isinstance(unit, dict) else unit


def test_a_unit_is_of_the_first_pattern_that_fits() -> None:
    attention = registry.load("metrics", "attention")
    assert attention.unit_of("encoder/0/distance") == "pixels"
    assert attention.unit_of("encoder/diversity") == "nats"
    assert attention.unit_of("encoder/rank99") == "share of all directions"
    assert registry.load("metrics", "mcc").unit_of("level_0") == "correlation"
