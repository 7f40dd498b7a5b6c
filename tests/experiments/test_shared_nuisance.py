import torch

from mae_bench.experiments.shared_nuisance import SHARED_NUISANCE
from mae_bench.records.schema import TIERS
from mae_bench.training.train import build


def cells(tier="smoke", seeds=1):
    return list(SHARED_NUISANCE.cells(TIERS[tier], range(seeds)))


def test_every_method_masks_the_half_that_the_world_wants_predicted():
    for cell, _ in cells():
        _, method = build(cell, "cpu")
        mask = method.masking(3, torch.Generator().manual_seed(0)).mask
        assert mask.view(3, 4, 4).tolist() == [[[1, 1, 0, 0]] * 4] * 3


def test_the_gap_rises_with_the_strength_and_is_the_same_beside_the_means():
    gaps = {}
    for cell, f in cells():
        gaps[f["strength"], f["overlap"]] = build(cell, "cpu")[0].ci_gap
    for overlap in (True, False):
        assert 0 == gaps[0.0, overlap] < gaps[1.0, overlap] < gaps[2.0, overlap]
    assert all(gaps[s, True] == gaps[s, False] for s in (0.0, 1.0, 2.0))


def test_nothing_is_trained_beside_the_means():
    found = {(f["overlap"], f["stop"]) for _, f in cells()}
    assert found == {(True, 0.0), (True, 1.0), (False, 0.0)}
    quick = cells("quick", 5)
    assert len(quick) == 45
    assert sum(f["stop"] == 1 for _, f in quick) == 15
