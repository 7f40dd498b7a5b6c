from collections import Counter

from mae_bench.experiments.input_noise import INPUT_NOISE
from mae_bench.experiments.leaderboard import LEADERBOARD
from mae_bench.records.schema import TIERS


def test_only_the_denoising_autoencoder_has_noise() -> None:
    cells = list(INPUT_NOISE.cells(TIERS["smoke"], range(1)))
    found = Counter((c.method, f["noise_std"] is None) for c, f in cells)
    worlds, levels = len(INPUT_NOISE.datasets), len(INPUT_NOISE.factors["noise_std"])
    assert found == {
        ("mae", True): worlds,
        ("autoencoder", True): worlds,
        ("denoising", False): worlds * levels,
    }


def test_mae_is_the_leaderboards_and_the_others_see_every_patch() -> None:
    board = {cell.key for cell, _ in LEADERBOARD.cells(TIERS["smoke"], range(1))}
    for cell, _ in INPUT_NOISE.cells(TIERS["smoke"], range(1)):
        if cell.method == "mae":
            # The independent spins, a control, are not the leaderboard's.
            assert (cell.key in board) == (cell.dataset == "gaussian_tree")
        else:
            assert cell.method_settings["mask_ratio"] == 0.0
