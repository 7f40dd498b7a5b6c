import pytest
import torch

from mae_bench.datasets.random_hierarchy import RandomHierarchy
from mae_bench.experiments.root_use import ROOT_USE
from mae_bench.models.masking import random_masking
from mae_bench.oracles.belief_propagation import explained_variance, reconstruction
from mae_bench.schema import TIERS


def test_fifteen_networks_and_one_untrained_a_seed():
    cells = [cell for cell, _ in ROOT_USE.cells(TIERS["quick"], 5)]
    assert sum(cell.method == "mae" for cell in cells) == 15
    assert len({c.key for c in cells if c.method == "random_init"}) == 5
    assert {cell.method_settings["steps"] for cell in cells} == {3000}
    assert {cell.dataset_settings["symbols"] for cell in cells} == {3}


def test_the_untrained_encoder_is_of_the_same_size():
    sizes = {
        tuple(cell.method_settings[k] for k in ("embed_dim", "depth", "num_heads"))
        for cell, _ in ROOT_USE.cells(TIERS["quick"], 1)
    }
    assert sizes == {(48, 2, 4)}


@pytest.mark.parametrize("ratio", ROOT_USE.factors["mask_ratio"])
def test_there_is_something_that_only_the_root_explains(ratio):
    settings = {k: ROOT_USE.settings[k] for k in ("symbols", "rules")}
    world = RandomHierarchy(torch.Generator().manual_seed(0), **settings)
    noise = torch.Generator().manual_seed(1)
    images = world.sample(500, noise).images
    mask = random_masking(500, 4, ratio, noise).mask
    explained = {
        cut: explained_variance(
            world, reconstruction(world, images, mask, cut=cut).error.mean().item()
        )
        for cut in (None, 1)
    }
    assert explained[None] > explained[1] + 0.02
