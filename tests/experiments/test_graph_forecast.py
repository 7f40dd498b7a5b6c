import torch

from mae_bench.experiments.graph_forecast import GRAPH_FORECAST
from mae_bench.metrics.mask_connectivity import mask_connectivity
from mae_bench.records.schema import TIERS
from mae_bench.training.train import build, generator


def test_the_forecast_can_be_made_at_every_ratio_and_differs() -> None:
    found = {}
    for cell, factors in GRAPH_FORECAST.cells(TIERS["smoke"], range(1)):
        if factors["stop"] == 0.0:
            world, method = build(cell, "cpu")
            batch = world.sample(2, generator(0))
            row = mask_connectivity(method, world, batch, generator(1))
            found[factors["mask_ratio"]] = row["forecast"]
    assert list(found) == [0.125, 0.25, 0.5, 0.75, 0.875]
    assert len(set(found.values())) == 5


def test_the_untrained_encoder_is_the_same_at_every_ratio() -> None:
    cells = [
        c for c, f in GRAPH_FORECAST.cells(TIERS["smoke"], range(1)) if f["stop"] == 0
    ]
    weights = [build(cell, "cpu")[1].encoder.state_dict() for cell in cells]
    assert len(weights) == 5
    for other in weights[1:]:
        for name, weight in weights[0].items():
            assert torch.equal(weight, other[name])
