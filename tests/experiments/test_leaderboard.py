import pytest

from mae_bench.experiments.leaderboard import LEADERBOARD
from mae_bench.records import registry
from mae_bench.records.schema import TIERS
from mae_bench.training.train import build
from mae_bench.verdicts.rank import CEILING, FLOOR, HEADLINES


def test_every_cell_is_a_method_on_a_world_without_factors() -> None:
    cells = list(LEADERBOARD.cells(TIERS["smoke"], range(2)))
    pairs = len(LEADERBOARD.datasets) * len(LEADERBOARD.methods)
    assert len(cells) == 2 * pairs
    assert all(factors == {} for _, factors in cells)


def test_the_floor_the_ceiling_and_every_headline_are_measured() -> None:
    methods = {registry.id_of(method) for method in LEADERBOARD.methods}
    assert {FLOOR, CEILING} <= methods
    measured = {metric.id for metric in LEADERBOARD.metrics}
    assert {headline.metric for headline in HEADLINES} <= measured


def test_columns_stand_in_the_order_of_its_metrics() -> None:
    order = [metric.id for metric in LEADERBOARD.metrics]
    places = [order.index(headline.metric) for headline in HEADLINES]
    assert places == sorted(places)
    # The first sorts the board.
    assert HEADLINES[0].name == "linear_r2_level_0"


@pytest.mark.parametrize("name", registry.names("methods"))
def test_a_method_is_on_the_board_unless_it_says_no(name: str) -> None:
    method = registry.load("methods", name)
    assert (method in LEADERBOARD.methods) == ("leaderboard" in method.joins)
    apart = {"deep_linear", "linear_mae", "linear_views", "reduced_rank", "ridgeless"}
    apart |= {"lejepa", "lejepa_vit", "masked_likelihood", "mode_witness"}
    apart |= {"full_mask_mae", "token_mae", "cluster_mim", "pmae", "simclr_resnet"}
    apart |= {"chain_predictor", "masked_score", "self_regression"}
    assert (name in apart) == (method.joins == ())


def test_it_has_worlds_with_known_causes_and_real_images() -> None:
    worlds = {registry.id_of(world) for world in LEADERBOARD.datasets}
    assert worlds == {
        *("digits", "gaussian_tree", "invertible_tree"),
        *("mnist", "random_hierarchy", "sprites"),
    }


def test_each_world_is_of_the_size_that_it_is_shown_at() -> None:
    found = {}
    for cell, _ in LEADERBOARD.cells(TIERS["quick"], range(1), methods=["mae"]):
        dataset, mae = build(cell, "cpu")
        found[cell.dataset] = (dataset.image_size, mae.encoder.grid_size**2)
    assert found["mnist"] == (28, 49)
    assert found["sprites"] == (32, 16)
    assert {found[d] for d in ("random_hierarchy", "invertible_tree")} == {(8, 16)}
