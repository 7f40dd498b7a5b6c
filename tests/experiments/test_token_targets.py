from mae_bench.experiments.token_targets import TOKEN_TARGETS
from mae_bench.records.schema import TIERS


def test_there_are_seven_tokenisers_and_each_is_looked_at_untrained_too() -> None:
    cells = list(TOKEN_TARGETS.cells(TIERS["quick"], range(1)))
    points = {(f["tokens"], f["vocabulary"]) for _, f in cells}
    assert len(points) == 7
    assert len(cells) == 14
    assert {cell.method_settings["steps"] for cell, _ in cells} == {300}
