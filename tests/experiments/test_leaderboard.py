from mae_bench.experiments.leaderboard import LEADERBOARD
from mae_bench.records import registry
from mae_bench.records.schema import TIERS
from mae_bench.verdicts.rank import CEILING, FLOOR, HEADLINES


def test_every_cell_is_a_method_on_a_world_without_factors() -> None:
    cells = list(LEADERBOARD.cells(TIERS["smoke"], 2))
    pairs = len(LEADERBOARD.datasets) * len(LEADERBOARD.methods)
    assert len(cells) == 2 * pairs
    assert all(factors == {} for _, factors in cells)


def test_the_floor_the_ceiling_and_every_headline_are_measured() -> None:
    methods = {registry.id_of(method) for method in LEADERBOARD.methods}
    assert {FLOOR, CEILING} <= methods
    measured = {metric.id for metric in LEADERBOARD.metrics}
    assert {headline.metric for headline in HEADLINES} <= measured


def test_a_headline_points_the_way_that_its_metric_does() -> None:
    directions = {metric.id: metric.direction for metric in LEADERBOARD.metrics}
    for headline in HEADLINES:
        assert headline.direction in (directions[headline.metric], "none")


def test_it_has_both_worlds_with_known_causes_and_real_images() -> None:
    worlds = {registry.id_of(world) for world in LEADERBOARD.datasets}
    assert {"gaussian_tree", "digits"} <= worlds
