from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

import pytest

from mae_bench import experiments
from mae_bench.datasets.digits import Digits
from mae_bench.datasets.gaussian_tree import GaussianTree
from mae_bench.datasets.patches import Patches
from mae_bench.experiments import Experiment
from mae_bench.experiments.leaderboard import LEADERBOARD
from mae_bench.experiments.symmetry import SYMMETRY
from mae_bench.methods.mae import MAE
from mae_bench.methods.pixels import Pixels
from mae_bench.methods.u_mae import UMAE
from mae_bench.metrics.alignment import alignment
from mae_bench.metrics.ceiling import ceiling
from mae_bench.metrics.linear_probe import linear_probe
from mae_bench.metrics.reconstruction_error import reconstruction_error
from mae_bench.records import registry
from mae_bench.records.schema import TIERS, UsageError

SMOKE = TIERS["smoke"]
GRID = Experiment(
    question="What does the grid hold?",
    expected={},
    datasets=(GaussianTree, Digits),
    methods=(MAE, UMAE, Pixels),
    metrics=(linear_probe,),
    factors={"lamb": (0.0, 0.01), "tree_depth": (1, 2)},
    cost="nothing",
)


def test_a_method_or_world_without_a_factor_runs_once_with_it_empty() -> None:
    found = Counter(
        (c.dataset, c.method, f["lamb"], f["tree_depth"])
        for c, f in GRID.cells(SMOKE, range(1))
    )
    assert set(found.values()) == {1}
    expected = {("digits", m, None, None) for m in ("mae", "pixels")}
    expected |= {("digits", "u_mae", lamb, None) for lamb in (0.0, 0.01)}
    for depth in (1, 2):
        tree = "gaussian_tree"
        expected |= {(tree, m, None, depth) for m in ("mae", "pixels")}
        expected |= {(tree, "u_mae", lamb, depth) for lamb in (0.0, 0.01)}
    assert set(found) == expected


def test_a_factor_reaches_the_setting_it_names() -> None:
    for cell, factors in GRID.cells(SMOKE, range(1)):
        if factors["lamb"] is not None:
            assert cell.method_settings["lamb"] == factors["lamb"]
        if factors["tree_depth"] is not None:
            assert cell.dataset_settings["tree_depth"] == factors["tree_depth"]


def test_every_cell_is_repeated_for_every_seed() -> None:
    one, three = (list(GRID.cells(SMOKE, range(seeds))) for seeds in (1, 3))
    assert len(three) == 3 * len(one)
    assert len({cell.key for cell, _ in three}) == len(three)


def test_later_seeds_are_the_same_cells_without_the_earlier() -> None:
    whole, late = (list(GRID.cells(SMOKE, s)) for s in (range(7), range(5, 7)))
    assert {cell.seed for cell, _ in late} == {5, 6}
    assert late == [(cell, f) for cell, f in whole if cell.seed >= 5]


def test_the_tier_sizes_methods_and_leaves_worlds_as_they_are() -> None:
    for (small, _), (large, _) in zip(
        GRID.cells(SMOKE, range(1)), GRID.cells(TIERS["full"], range(1)), strict=True
    ):
        assert small.dataset_settings == large.dataset_settings
        assert small.method_settings["steps"] == SMOKE.steps
        assert large.method_settings["steps"] == TIERS["full"].steps
        assert small.stream("world") == large.stream("world")
        assert small.key != large.key


def test_a_factor_overrules_the_tier() -> None:
    short = replace(GRID, factors={"steps": (1, 2)})
    steps = {cell.method_settings["steps"] for cell, _ in short.cells(SMOKE, range(1))}
    assert steps == {1, 2}


def test_a_world_may_have_settings_of_its_own_and_a_factor_overrules_them() -> None:
    here = {"gaussian_tree": {"tree_depth": 1, "patch_size": 4, "mask_ratio": 0.5}}
    grid = replace(GRID, factors={}, by_world=here)
    found = [cell for cell, _ in grid.cells(SMOKE, range(1))]
    trees = [cell for cell in found if cell.dataset == "gaussian_tree"]
    assert {cell.dataset_settings["tree_depth"] for cell in trees} == {1}
    vits = [c for c in trees if c.method == "mae"]
    assert {(c.method_settings["patch_size"]) for c in vits} == {4}
    plain = list(replace(GRID, factors={}).cells(SMOKE, range(1)))
    others = [c.key for c, _ in plain if c.dataset == "digits"]
    assert [c.key for c in found if c.dataset == "digits"] == others
    swept = replace(grid, factors={"mask_ratio": (0.25,)}).cells(SMOKE, range(1))
    ratios = {c.method_settings.get("mask_ratio") for c, _ in swept} - {None}
    assert ratios == {0.25}


def test_what_is_run_on_demand_is_run_by_who_names_it() -> None:
    assert "learning_rates" not in experiments.asked_for(None)
    assert list(experiments.asked_for(["learning_rates"])) == ["learning_rates"]
    assert "symmetry" in experiments.asked_for(None)
    with pytest.raises(UsageError, match="learning_rates"):
        experiments.asked_for(["learning_rate"])


def test_two_experiments_share_the_cell_that_both_need() -> None:
    plain = replace(GRID, factors={})
    ours = {cell.key for cell, _ in GRID.cells(SMOKE, range(1))}
    theirs = {cell.key for cell, _ in plain.cells(SMOKE, range(1))}
    # The defaults, lambda 0.01 and depth 2, are on the grid.
    assert theirs <= ours


@pytest.mark.parametrize("part", [GaussianTree, UMAE])
def test_a_part_of_a_new_version_is_another_cell(
    part: type, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = {cell.key for cell, _ in GRID.cells(SMOKE, range(1))}
    monkeypatch.setattr(part, "version", part.version + 1)
    cells = [cell for cell, _ in GRID.cells(SMOKE, range(1))]
    concerned = {"gaussian_tree", "u_mae"} & {
        "gaussian_tree" if part is GaussianTree else "u_mae"
    }
    for cell in cells:
        moved = bool(concerned & {cell.dataset, cell.method})
        assert (cell.key not in before) == moved


def test_a_point_wins_over_fixed_settings_and_those_over_the_budget() -> None:
    fixed = {"steps": 7, "lamb": 9.0, "node_width": 1, "mask_unit": 4}
    budgets = {"smoke": {"steps": 5, "lr": 0.5}, "quick": {"lr": 0.25}}
    grid = replace(GRID, settings=fixed, budgets=budgets)
    for tier, lr in (
        ("smoke", 0.5),
        ("quick", 0.25),
        ("full", TIERS["full"].budget()["lr"]),
    ):
        for cell, factors in grid.cells(TIERS[tier], range(1)):
            given = cell.method_settings
            assert given["steps"] == 7
            assert given["lr"] == lr
            assert given["batch_size"] == TIERS[tier].batch_size
            assert given.get("lamb") == factors["lamb"]
            assert given.get("mask_unit", 4) == 4
            assert cell.dataset_settings.get("node_width", 1) == 1


def test_a_budget_is_of_its_tier_alone() -> None:
    grid = replace(GRID, budgets={"quick": {"steps": 5}})
    plain, ours = (
        [cell.key for cell, _ in experiment.cells(SMOKE, range(1))]
        for experiment in (GRID, grid)
    )
    assert ours == plain
    assert {
        c.method_settings["steps"] for c, _ in grid.cells(TIERS["quick"], range(1))
    } == {5}


def test_a_point_that_needs_it_is_trained_longer_in_its_tier_and_no_other_is() -> None:
    longer = {
        "quick": (
            ({"lamb": 0.01}, 4),
            ({"lamb": 0.01, "tree_depth": 2}, 8),
            ({"dataset": "digits", "method": "mae"}, 2),
        )
    }
    grid = replace(GRID, longer=longer, budgets={"quick": {"steps": 5}})
    plain = replace(GRID, budgets={"quick": {"steps": 5}})
    assert list(grid.cells(SMOKE, range(1))) == list(plain.cells(SMOKE, range(1)))
    keys = {cell.key for cell, _ in plain.cells(TIERS["quick"], range(1))}
    for cell, factors in grid.cells(TIERS["quick"], range(1)):
        times = 1
        if factors["lamb"] == 0.01:
            times = 8 if factors["tree_depth"] == 2 else 4
        if (cell.dataset, cell.method) == ("digits", "mae"):
            times = 2
        assert cell.method_settings.get("steps") == 5 * times
        assert (cell.key in keys) == (times == 1)


def test_points_that_cannot_be_are_left_out_and_no_others() -> None:
    without = ({"lamb": 0.01, "tree_depth": 1}, {"lamb": 0.5})
    grid = replace(GRID, datasets=(GaussianTree,), methods=(UMAE,), without=without)
    found = {(f["lamb"], f["tree_depth"]) for _, f in grid.cells(SMOKE, range(1))}
    assert found == {(0.0, 1), (0.0, 2), (0.01, 2)}


def test_a_point_may_be_left_out_of_one_method_or_world_alone() -> None:
    without = ({"method": "u_mae", "lamb": 0.01}, {"dataset": "digits"})
    grid = replace(GRID, without=without)
    found = {(c.dataset, c.method, f["lamb"]) for c, f in grid.cells(SMOKE, range(1))}
    assert found == {
        ("gaussian_tree", "u_mae", 0.0),
        ("gaussian_tree", "mae", None),
        ("gaussian_tree", "pixels", None),
    }


def test_a_metric_that_chooses_its_view_is_wanted_once() -> None:
    grid = replace(
        GRID,
        metrics=(linear_probe, alignment, ceiling, reconstruction_error),
        views=("unmasked", "masked"),
    )
    once = {(m, "unmasked") for m in ("alignment", "ceiling", "reconstruction_error")}
    probed = {("linear_probe", view) for view in grid.views}
    assert grid.wanted == once | probed


def test_an_experiment_knows_its_id_and_a_copy_has_none() -> None:
    assert (LEADERBOARD.id, SYMMETRY.id) == ("leaderboard", "symmetry")
    for stray in (GRID, replace(SYMMETRY, cost="nothing")):
        with pytest.raises(UsageError, match="is not registered; give it a"):
            _ = stray.id


@pytest.fixture
def joining(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A method and a world of ours that join, of other experiments than before."""
    monkeypatch.setattr(UMAE, "joins", ("symmetry", "uniformity"))
    monkeypatch.setattr(Digits, "joins", ("symmetry",))
    experiments._joining.cache_clear()
    yield
    monkeypatch.undo()
    experiments._joining.cache_clear()


@pytest.mark.usefixtures("joining")
def test_what_joins_is_run_after_what_is_named() -> None:
    assert SYMMETRY.methods == (MAE, UMAE)
    assert SYMMETRY.datasets == (GaussianTree, Digits)
    assert UMAE not in LEADERBOARD.methods
    assert Digits not in LEADERBOARD.datasets
    cells = [cell for cell, _ in SYMMETRY.cells(SMOKE, range(1))]
    assert {(cell.dataset, cell.method) for cell in cells} == {
        (dataset, method)
        for dataset in ("gaussian_tree", "digits")
        for method in ("mae", "u_mae")
    }


@pytest.mark.usefixtures("joining")
def test_what_is_named_and_joins_is_run_once_and_a_copy_is_joined_by_nothing() -> None:
    assert registry.load("experiments", "uniformity").methods == (UMAE,)
    copy = replace(SYMMETRY, methods=(MAE,), datasets=(GaussianTree,))
    assert (copy.methods, copy.datasets) == ((MAE,), (GaussianTree,))


def test_an_experiment_without_methods_is_refused() -> None:
    with pytest.raises(TypeError, match="'methods'"):
        Experiment(question="?", expected={}, datasets=(), metrics=(), cost="")


def test_other_worlds_are_run_in_the_place_of_its_own() -> None:
    own, other = (
        [*GRID.cells(SMOKE, range(1), worlds=worlds)]
        for worlds in ((Digits,), (Patches,))
    )
    assert {cell.dataset for cell, _ in other} == {"patches"}
    assert [at for _, at in other] == [at for _, at in own]
    assert not [*GRID.cells(SMOKE, range(1), worlds=())]
