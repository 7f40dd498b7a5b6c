import pytest

from mae_bench.experiments.mask_efficiency import MASK_EFFICIENCY
from mae_bench.oracles.masked_likelihood import relative_variance
from mae_bench.records.schema import TIERS


def test_every_mask_is_of_the_same_samples_and_of_the_whole_chain() -> None:
    cells = list(MASK_EFFICIENCY.cells(TIERS["quick"], range(1)))
    assert len(cells) == 20
    assert len({cell.stream("init") for cell, _ in cells}) == 1
    for cell, _ in cells:
        assert (
            cell.method_settings["length"] == cell.dataset_settings["image_size"] ** 2
        )


def test_the_numbers_that_are_quoted_are_the_exact_ones() -> None:
    quoted = {
        "one": (6.63, 3.35, 1.73, 1.21, 1.0),
        "all": (1.22, 1.17, 1.08, 1.02, 1.0),
    }
    for masks, numbers in quoted.items():
        found = [relative_variance(9, 0.7, k, masks) for k in (1, 2, 4, 6, 9)]
        assert found == pytest.approx(numbers, abs=0.006)
