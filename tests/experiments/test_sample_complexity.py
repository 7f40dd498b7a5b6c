from mae_bench.experiments.sample_complexity import (
    DEEPEST,
    DEPTHS,
    PRODUCTIONS,
    SAMPLE_COMPLEXITY,
    rules_of,
)
from mae_bench.oracles.context_law import expected_variance
from mae_bench.records.schema import TIERS
from mae_bench.training.train import build


def cells():
    return list(SAMPLE_COMPLEXITY.cells(TIERS["quick"], range(1)))


def test_every_size_is_there_at_every_depth_but_the_deepest():
    found = [factors["rules"] for _, factors in cells()]
    sizes = dict.fromkeys(DEPTHS, PRODUCTIONS) | {max(DEPTHS): DEEPEST}
    assert found == [rules_of(m, depth) for depth in DEPTHS for m in sizes[depth]]


def test_the_worlds_are_far_from_the_one_in_which_nothing_tells():
    for m in PRODUCTIONS:
        lost = expected_variance(8, m, 3) / expected_variance(8, m, 3, s=99)
        assert lost > 0.95


def test_a_world_can_be_built_of_every_cell():
    for cell, factors in cells():
        world, _ = build(cell, "cpu")
        assert [rule.shape[1] for rule in world.rules] == [
            int(rule.partition(":")[2]) for rule in factors["rules"].split(",")
        ]
