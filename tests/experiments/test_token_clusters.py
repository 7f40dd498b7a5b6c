import torch

from mae_bench.datasets.planted_areas import PlantedAreas
from mae_bench.experiments.token_clusters import TOKEN_CLUSTERS
from mae_bench.metrics.token_clusters import agreement
from mae_bench.models.vit import patchify
from mae_bench.records.schema import TIERS


def test_pixels_go_a_quarter_of_the_way_to_the_areas() -> None:
    cell, _ = next(iter(TOKEN_CLUSTERS.cells(TIERS["quick"], range(1))))
    draw = torch.Generator().manual_seed(0)
    world = PlantedAreas(draw, **cell.dataset_settings)
    batch = world.draw(100, draw)
    area = world.areas[batch.latents["level_0"].argmax(1)]
    assert 0.2 < agreement(patchify(batch.images, 4), area, 0) < 0.3


def test_the_last_stop_is_the_end_and_others_come_before_a_tenth() -> None:
    stops = TOKEN_CLUSTERS.factors["stop"]
    assert {0.0, 0.1, 1.0} <= {*stops}
    assert all(stop <= 0.1 for stop in stops if stop != 1.0)
