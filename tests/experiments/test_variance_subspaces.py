from mae_bench.experiments.variance_subspaces import VARIANCE_SUBSPACES
from mae_bench.records import registry
from mae_bench.records.schema import TIERS


def test_nothing_is_trained_in_worlds_with_classes() -> None:
    cells = [cell for cell, _ in VARIANCE_SUBSPACES.cells(TIERS["quick"], range(1))]
    assert {cell.dataset for cell in cells} == {"digits", "gaussian_tree"}
    assert not any(registry.load("methods", cell.method).trains for cell in cells)
