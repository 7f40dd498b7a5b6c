from mae_bench.experiments.published_cifar10 import PUBLISHED_CIFAR10
from mae_bench.records.schema import TIERS


def test_the_recipe_is_the_published_one_and_is_read_four_times() -> None:
    cells = [cell for cell, _ in PUBLISHED_CIFAR10.cells(TIERS["paper"], range(1))]
    assert [c.method_settings["stop"] for c in cells] == [0.25, 0.5, 0.75, 1.0]
    (recipe,) = {
        tuple(c.method_settings[k] for k in ("steps", "batch_size", "lr", "momentum"))
        for c in cells
    }
    assert recipe == (200 * (50_000 // 128), 128, 0.06, 0.9)
    assert {c.dataset_settings["name"] for c in cells} == {"cifar10"}
