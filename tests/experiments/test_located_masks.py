"""The code is as wide as c, which the oracle locates, under each of the masks."""

import torch

from mae_bench.datasets.invertible_tree import InvertibleTree
from mae_bench.experiments.located_masks import LOCATED_MASKS, WIDTH_OF_C
from mae_bench.models.decoder import PointwiseDecoder
from mae_bench.models.masking import FIXED, fixed_units
from mae_bench.oracles.located_latents import locate
from mae_bench.records.schema import TIERS
from mae_bench.training.train import build


def test_every_mask_stands_once_with_the_width_of_its_c():
    world = InvertibleTree(torch.Generator().manual_seed(0))
    # A quad is aligned with the tree, as left is, and cuts no more of it.
    assert set(WIDTH_OF_C) == set(FIXED) - {"quad"}
    for family, width in WIDTH_OF_C.items():
        hidden = fixed_units(family, 4).nonzero().flatten().tolist()
        shared = locate(world.graph(), {f"2/{k}" for k in hidden}).shared_ancestors
        # The root's numbers, and one ε of each other shared node.
        assert width == 2 + len(shared) - 1
    points = [
        (f["mask_family"], f["bottleneck"])
        for cell, f in LOCATED_MASKS.cells(TIERS["quick"], range(1))
        if cell.method == "mae" and f["stop"] == 1.0
    ]
    assert sorted(points) == sorted(WIDTH_OF_C.items())


def test_all_methods_have_the_same_world_mask_and_width():
    for cell, factors in LOCATED_MASKS.cells(TIERS["smoke"], range(1)):
        if factors["mask_family"] not in ("column", "centre"):
            continue
        world, method = build(cell, "cpu")
        code = method.features(world.sample(20, torch.Generator().manual_seed(0)))
        assert code["code"].shape[1] == factors["bottleneck"]
        hidden = method.masking(1, torch.Generator()).ids_masked[0]
        expected = fixed_units(factors["mask_family"], 4).nonzero().flatten()
        assert torch.equal(hidden, expected)


def test_quick_has_its_own_budget():
    for cell, _ in LOCATED_MASKS.cells(TIERS["quick"], range(1)):
        if cell.method == "reduced_rank":
            continue
        settings = cell.method_settings
        budget = [settings[name] for name in ("steps", "lr", "warmup", "weight_decay")]
        assert budget == [1600, 0.006, 0.1, 0.0]
        _, method = build(cell, "cpu")
        assert isinstance(method.decoder, PointwiseDecoder)
        assert len(method.decoder.blocks) == 2
        assert method.decoder.places.shape == (16, 64)
