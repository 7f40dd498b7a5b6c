from mae_bench.experiments.linear_noise import LINEAR_NOISE
from mae_bench.experiments.linear_theory import LINEAR_THEORY
from mae_bench.records.schema import TIERS


def test_there_is_noise_or_there_are_masks() -> None:
    points = [f for _, f in LINEAR_NOISE.cells(TIERS["quick"], range(1))]
    assert len(points) == 5
    assert all(0.0 in (f["mask_ratio"], f["noise_std"]) for f in points)


def test_its_masked_cell_is_linear_theorys() -> None:
    ours, theirs = (
        {
            cell.key
            for cell, f in e.cells(TIERS["quick"], range(1))
            if f["mask_ratio"] == 0.9
        }
        for e in (LINEAR_NOISE, LINEAR_THEORY)
    )
    assert len(ours) == 1
    assert ours < theirs
