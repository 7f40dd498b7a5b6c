import torch

from mae_bench.datasets.random_hierarchy import RandomHierarchy
from mae_bench.experiments.log_posterior import LOG_POSTERIOR
from mae_bench.oracles.belief_propagation import posteriors
from mae_bench.records.schema import TIERS


def test_with_half_visible_the_root_is_nearly_known_and_with_a_quarter_in_doubt():
    cell, _ = next(iter(LOG_POSTERIOR.cells(TIERS["quick"], range(1))))
    doubts = []
    for seed in range(4):
        draw = torch.Generator().manual_seed(seed)
        world = RandomHierarchy(draw, **cell.dataset_settings)
        images, entropies = world.draw(300, draw).images, []
        for visible in (8, 4):
            place = torch.rand(300, 16, generator=draw).argsort(1).argsort(1)
            root = posteriors(world, images, (place >= visible).float())["level_0"]
            entropies.append(torch.special.entr(root).sum(2).mean())
        doubts.append(torch.stack(entropies))
    known, doubtful = torch.stack(doubts).mean(0)
    assert known < 0.15
    assert doubtful > 0.35
