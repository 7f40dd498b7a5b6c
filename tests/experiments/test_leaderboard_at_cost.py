from mae_bench.experiments._chosen import AT_EQUAL_COST
from mae_bench.experiments.leaderboard import LEADERBOARD
from mae_bench.experiments.leaderboard_at_cost import LEADERBOARD_AT_COST
from mae_bench.experiments.learning_rates import LEARNING_RATES
from mae_bench.verdicts.read_outs import READS


def test_it_is_the_leaderboard_but_for_the_steps() -> None:
    assert LEADERBOARD_AT_COST.methods == LEADERBOARD.methods
    assert LEADERBOARD_AT_COST.datasets == LEARNING_RATES.datasets
    assert LEADERBOARD_AT_COST.wanted <= LEADERBOARD.wanted
    probes = {probe.metric for probe in READS.values()}
    assert probes <= {metric.id for metric in LEADERBOARD_AT_COST.metrics}
    assert LEADERBOARD_AT_COST.by_world == LEADERBOARD.by_world
    assert LEADERBOARD_AT_COST.chosen.columns == AT_EQUAL_COST
    assert {"steps"} == AT_EQUAL_COST.keys() - LEADERBOARD.chosen.columns.keys()
