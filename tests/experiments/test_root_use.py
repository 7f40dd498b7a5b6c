import torch

from mae_bench.datasets.random_hierarchy import RandomHierarchy
from mae_bench.experiments.root_use import ROOT_USE
from mae_bench.models.masking import random_masking
from mae_bench.oracles.belief_propagation import explained_variance, reconstruction
from mae_bench.records.schema import TIERS


def test_every_trained_network_has_its_untrained_twin():
    cells = [(cell, f["stop"]) for cell, f in ROOT_USE.cells(TIERS["quick"], range(5))]
    ends = {cell.stream("init") for cell, stop in cells if stop == 1.0}
    assert ends == {cell.stream("init") for cell, stop in cells if stop == 0.0}
    assert sum(stop == 1.0 for _, stop in cells) == len(cells) / 2 == 5
    sizes = {
        tuple(cell.method_settings[k] for k in ("embed_dim", "depth", "num_heads"))
        for cell, _ in cells
    }
    assert sizes == {(48, 3, 4)}


def test_there_is_something_that_only_the_root_explains():
    settings = {k: ROOT_USE.settings[k] for k in ("symbols", "rules")}
    world = RandomHierarchy(torch.Generator().manual_seed(0), **settings)
    noise = torch.Generator().manual_seed(1)
    images = world.sample(500, noise).images
    mask = random_masking(500, 4, ROOT_USE.settings["mask_ratio"], noise).mask
    explained = {
        cut: explained_variance(
            world, reconstruction(world, images, mask, cut=cut).error.mean().item()
        )
        for cut in (None, 1)
    }
    assert explained[None] > explained[1] + 0.02
