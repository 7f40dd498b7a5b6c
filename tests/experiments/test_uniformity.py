from mae_bench.experiments.uniformity import UNIFORMITY
from mae_bench.records.schema import TIERS


def test_the_weights_rise_from_plain_mae_past_the_published_one() -> None:
    weights = UNIFORMITY.factors["lamb"]
    assert list(weights) == sorted(weights)
    assert weights[0] == 0
    assert 0.01 in weights
    assert weights[-1] > 0.01


def test_the_weight_reaches_the_loss_of_every_cell() -> None:
    for cell, factors in UNIFORMITY.cells(TIERS["smoke"], range(1)):
        assert cell.method_settings["lamb"] == factors["lamb"]


def test_it_shares_the_leaderboards_cells_at_the_published_weight(shared) -> None:
    assert shared(UNIFORMITY, "lamb") == {0.01}
