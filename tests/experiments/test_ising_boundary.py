from mae_bench.experiments.ising_boundary import ISING_BOUNDARY
from mae_bench.records.schema import TIERS


def test_one_level_has_no_coupling_and_no_patch_lacks_an_interior() -> None:
    grid = list(ISING_BOUNDARY.cells(TIERS["quick"], range(1)))
    assert [f["coupling"] for _, f in grid] == [0.0, 0.1, 0.2, 0.3, 0.4]
    for cell, factors in grid:
        assert cell.dataset_settings["coupling"] == factors["coupling"]
        assert cell.method_settings["patch_size"] > 2
