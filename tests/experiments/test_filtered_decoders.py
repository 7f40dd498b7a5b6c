from mae_bench.experiments.filtered_decoders import FILTERED_DECODERS
from mae_bench.records.schema import TIERS


def test_each_budget_is_four_times_the_one_before_and_is_seen_on_its_way():
    cells = list(FILTERED_DECODERS.cells(TIERS["quick"], range(1)))
    budgets = sorted({cell.method_settings["steps"] for cell, _ in cells})
    assert budgets == [1500, 6000, 24_000]
    assert len(cells) == 18
    # A checkpoint is a step, not a part of one, in the shortest run too.
    stops = {at["stop"] for _, at in cells}
    assert {round(stop * 1500, 6) % 1 for stop in stops} == {0.0}


def test_it_is_run_by_who_names_it_alone():
    assert FILTERED_DECODERS.on_demand
