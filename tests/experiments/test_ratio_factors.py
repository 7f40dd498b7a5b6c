from mae_bench.experiments.ratio_factors import RATIO_FACTORS
from mae_bench.records.schema import TIERS


def test_no_more_is_told_than_is_hidden_and_each_factor_varies_alone() -> None:
    cells = list(RATIO_FACTORS.cells(TIERS["quick"], range(1)))
    points = {(f["mask_ratio"], f["prediction_ratio"]) for _, f in cells}
    assert len(points) == 6
    assert all(told <= hidden for hidden, told in points)  # type: ignore[operator]
    assert {hidden for hidden, told in points if told == 0.25} == {0.25, 0.5, 0.75}
    assert {told for hidden, told in points if hidden == 0.75} == {0.25, 0.5, 0.75}
