from mae_bench.experiments.lejepa_rates import LEJEPA_RATES
from mae_bench.experiments.lejepa_shapes import LEJEPA_SHAPES
from mae_bench.records.schema import TIERS


def test_sixteen_trainings_of_the_world_with_gaussian_causes() -> None:
    cells = [cell for cell, _ in LEJEPA_RATES.cells(TIERS["quick"], range(1))]
    ended = [cell for cell in cells if cell.method_settings["stop"] == 1.0]
    assert len({cell.key for cell in ended}) == 16
    (world,) = {tuple(cell.dataset_settings.items()) for cell in cells}
    shapes = LEJEPA_SHAPES.cells(TIERS["quick"], range(1))
    assert world in {tuple(cell.dataset_settings.items()) for cell, _ in shapes}
