from mae_bench.experiments.conditional_cycles import CONDITIONAL_CYCLES
from mae_bench.experiments.log_posterior import LOG_POSTERIOR
from mae_bench.records.schema import TIERS


def test_its_trainings_are_those_of_the_log_posterior() -> None:
    mine, others = (
        {cell.key for cell, _ in e.cells(TIERS["quick"], range(2))}
        for e in (CONDITIONAL_CYCLES, LOG_POSTERIOR)
    )
    assert mine == others
