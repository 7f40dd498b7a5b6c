from mae_bench.experiments.decoder_attention import DECODER_ATTENTION
from mae_bench.experiments.decoder_depth import DECODER_DEPTH
from mae_bench.records.schema import TIERS


def test_one_thing_is_taken_away_at_a_time() -> None:
    points = [f for _, f in DECODER_ATTENTION.cells(TIERS["smoke"], range(1))]
    away = [sum(not value for value in point.values()) for point in points]
    assert sorted(away) == [0, 1, 1]


def test_with_everything_it_is_decoder_depths_cell() -> None:
    depth = {cell.key for cell, _ in DECODER_DEPTH.cells(TIERS["smoke"], range(1))}
    shared = [
        factors
        for cell, factors in DECODER_ATTENTION.cells(TIERS["smoke"], range(1))
        if cell.key in depth
    ]
    assert shared == [{"mask_to_mask": True, "pos_embed": True}]
