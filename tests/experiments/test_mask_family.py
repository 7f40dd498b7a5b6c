from mae_bench.experiments.mask_family import MASK_FAMILY
from mae_bench.models.coloured_noise import COLOURS
from mae_bench.models.masking import FAMILIES
from mae_bench.records.schema import TIERS


def test_every_family_hides_as_much() -> None:
    cells = list(MASK_FAMILY.cells(TIERS["smoke"], range(1)))
    assert {f["mask_family"] for _, f in cells} == {*FAMILIES} - {*COLOURS}
    assert len({cell.method_settings["mask_ratio"] for cell, _ in cells}) == 1
