import pytest

from mae_bench.experiments.mask_graph_bound import MASK_GRAPH_BOUND
from mae_bench.oracles.finite_hierarchy import finite_world
from mae_bench.oracles.mask_graph import all_masks, mask_graph
from mae_bench.records.schema import TIERS
from mae_bench.training.train import build


@pytest.mark.parametrize(("rules", "images"), [("random:8", 32), ("random:64", 256)])
def test_several_views_share_each_target(rules: str, images: int) -> None:
    cells = MASK_GRAPH_BOUND.cells(TIERS["smoke"], range(1))
    cell = next(cell for cell, factors in cells if factors["rules"] == rules)
    world = finite_world(build(cell, "cpu")[0])
    assert len(world.tokens) == images
    graph = mask_graph(world.tokens, world.probability, all_masks(4, 1))
    assert (graph.adjacency > 0).sum(0).double().mean() > 5


def test_nothing_can_be_predicted_in_the_control() -> None:
    cells = MASK_GRAPH_BOUND.cells(TIERS["smoke"], range(1))
    cell = next(cell for cell, factors in cells if factors["rules"] == "random:64")
    world = finite_world(build(cell, "cpu")[0])
    # Every image of four leaves of four symbols: the leaves are independent.
    assert len(world.tokens.unique(dim=0)) == 4**4


def test_checkpoints_differ_in_nothing_but_the_stop() -> None:
    cells = MASK_GRAPH_BOUND.cells(TIERS["quick"], range(1))
    settings = [c.method_settings for c, f in cells if f["rules"] == "random:8"]
    assert [s["stop"] for s in settings] == [0.0, 0.05, 0.1, 0.25, 0.5, 1.0]
    rest = [{k: v for k, v in s.items() if k != "stop"} for s in settings]
    assert all(other == rest[0] for other in rest)
