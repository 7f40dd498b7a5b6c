import pytest

from mae_bench.experiments.self_regression import SELF_REGRESSION
from mae_bench.oracles.self_regression import squared_overlap
from mae_bench.records.schema import TIERS


def test_the_limits_that_are_quoted_are_the_exact_ones() -> None:
    quoted = {288: (0, 0.33, 0.70, 0.86), 72: (0, 0, 0.25, 0.58)}
    spikes = SELF_REGRESSION.factors["spike"]
    for samples, numbers in quoted.items():
        found = [squared_overlap(float(s), 144 / samples) for s in spikes]  # type: ignore[arg-type]
        assert found == pytest.approx(numbers, abs=0.006)


def test_fits_of_two_spikes_are_of_the_same_draws() -> None:
    cells = list(SELF_REGRESSION.cells(TIERS["quick"], range(1)))
    assert len(cells) == 12
    assert len({cell.stream("init") for cell, _ in cells}) == 1
