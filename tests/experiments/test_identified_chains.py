from mae_bench.experiments.identified_chains import IDENTIFIED_CHAINS
from mae_bench.records.schema import TIERS


def test_world_and_predictor_agree_on_what_is_emitted() -> None:
    cells = list(IDENTIFIED_CHAINS.cells(TIERS["quick"], range(1)))
    assert len(cells) == 3
    for cell, factors in cells:
        told = {s["emissions"] for s in (cell.dataset_settings, cell.method_settings)}
        assert told == {factors["emissions"]}
