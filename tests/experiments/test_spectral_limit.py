from mae_bench.experiments.spectral_limit import SPECTRAL_LIMIT
from mae_bench.records.schema import TIERS
from mae_bench.training.train import build


def test_nothing_is_trained_and_the_settings_are_those_of_the_bound() -> None:
    cells = list(SPECTRAL_LIMIT.cells(TIERS["quick"], range(2)))
    assert len(cells) == 2 * 2 * 2
    for cell, factors in cells:
        _, method = build(cell, "cpu")
        assert method.last_step == 0
        assert method.lamb == factors["lamb"] > 0
        assert method.encoder.bottleneck == factors["bottleneck"]
