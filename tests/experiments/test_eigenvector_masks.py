from mae_bench.experiments.eigenvector_masks import EIGENVECTOR_MASKS
from mae_bench.records.schema import TIERS


def test_both_methods_have_the_same_budget_at_every_point() -> None:
    cells = list(EIGENVECTOR_MASKS.cells(TIERS["quick"], range(1)))
    assert len(cells) == 16
    budgets = {
        tuple(cell.method_settings[k] for k in ("steps", "lr", "batch_size", "depth"))
        for cell, _ in cells
    }
    assert len(budgets) == 1
