import torch

from mae_bench.experiments.sub_trees import SUB_TREES
from mae_bench.models.masking import random_masking
from mae_bench.records.schema import TIERS


def quarters(family: str) -> torch.Tensor:
    """Visible leaves of each quarter of the image, sorted, ``[n, 4]``."""
    ratio = float(SUB_TREES.settings["mask_ratio"] or 0)
    noise = torch.Generator().manual_seed(0)
    mask = random_masking(500, 4, ratio, noise, family=family).mask
    blocks = (1 - mask).view(-1, 2, 2, 2, 2).sum((2, 4))
    return blocks.flatten(1).sort(1).values


def test_a_mask_along_the_sub_trees_shows_a_quarter_and_a_half() -> None:
    assert (quarters("aligned") == torch.tensor([0, 0, 2, 4])).all()
    whole = (quarters("random") == torch.tensor([0, 0, 2, 4])).all(1)
    assert whole.double().mean() < 0.05


def test_both_families_hide_as_much_in_every_world() -> None:
    cells = list(SUB_TREES.cells(TIERS["smoke"], range(1)))
    assert len(cells) == 2 * len(SUB_TREES.datasets)
    assert {cell.method_settings["mask_ratio"] for cell, _ in cells} == {0.625}


def test_the_hierarchy_is_that_of_the_sweep_over_ratios() -> None:
    rules = {
        cell.dataset_settings["rules"]
        for cell, _ in SUB_TREES.cells(TIERS["smoke"], range(1))
        if cell.dataset == "random_hierarchy"
    }
    assert rules == {"random:1,random:4"}
