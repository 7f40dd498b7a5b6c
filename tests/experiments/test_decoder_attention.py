from mae_bench.experiments.decoder_attention import DECODER_ATTENTION
from mae_bench.experiments.decoder_depth import DECODER_DEPTH
from mae_bench.records.schema import TIERS


def test_one_thing_is_taken_away_at_a_time() -> None:
    away: dict[str, list[int]] = {"gaussian_tree": [], "ising": []}
    for cell, point in DECODER_ATTENTION.cells(TIERS["smoke"], range(1)):
        away[cell.dataset].append(sum(not value for value in point.values()))
    assert sorted(away["gaussian_tree"]) == [0, 1, 1]
    # The control is of positions alone.
    assert sorted(away["ising"]) == [0, 1]


def test_with_everything_it_is_decoder_depths_cell() -> None:
    depth = {cell.key for cell, _ in DECODER_DEPTH.cells(TIERS["smoke"], range(1))}
    shared = [
        factors
        for cell, factors in DECODER_ATTENTION.cells(TIERS["smoke"], range(1))
        if cell.key in depth and cell.dataset == "gaussian_tree"
    ]
    assert shared == [{"mask_to_mask": True, "pos_embed": True}]
