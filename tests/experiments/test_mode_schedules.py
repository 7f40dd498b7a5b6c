import math

import pytest

from mae_bench.experiments.mode_schedules import MODE_SCHEDULES
from mae_bench.oracles.mode_blindness import schedule_uncertainty
from mae_bench.records.schema import TIERS


def test_the_grid_has_fast_and_slow_schedules_in_a_time_of_200():
    left = {}
    for cell, at in MODE_SCHEDULES.cells(TIERS["quick"], range(1)):
        known = cell.method_settings
        assert known["lr"] * known["steps"] == pytest.approx(200)
        left[*at.values()] = math.exp(-200 * schedule_uncertainty(64, 0.6, 0.7, **at))
    assert len(left) == 8
    assert left[0.5, False, 0.0] > 0.98
    assert left[0.75, False, 0.0] == pytest.approx(0.60, abs=0.01)
    assert max(left[0.75, True, 0.0], left[0.75, False, 0.05]) < 0.1
