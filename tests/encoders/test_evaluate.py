from pathlib import Path

import pandas as pd
import pytest
import torch
from torch import Tensor, nn

from mae_bench.encoders.evaluate import (
    Entrant,
    build,
    cell_of,
    evaluate,
    failures,
    measured_worlds,
    place,
    worlds_of,
)
from mae_bench.encoders.outsider import Reader
from mae_bench.experiments.leaderboard import LEADERBOARD
from mae_bench.records import registry
from mae_bench.records.merge import write_rows
from mae_bench.records.read import read_rows
from mae_bench.records.schema import TIERS, Cell, UsageError
from mae_bench.runs.score import score
from mae_bench.training.train import build as build_ours

SMOKE = {"tier": "smoke", "seeds": range(1), "device": "cpu"}


class Flat(nn.Module):
    """Pixels; ``spoil`` is done to them."""

    def __init__(self, spoil=lambda x: x) -> None:
        super().__init__()
        self.spoil = spoil

    def forward(self, x: Tensor) -> Tensor:
        return self.spoil(x.flatten(1))


def entrant(module: nn.Module | None = None, name: str = "flat") -> Entrant:
    return Entrant(name, Reader(module or Flat()), {"source": "test"})


def ours(method: str, dataset: str, seed: int = 0) -> Cell:
    (cell,) = [
        cell
        for cell, _ in LEADERBOARD.cells(TIERS["smoke"], range(seed + 1))
        if (cell.method, cell.dataset, cell.seed) == (method, dataset, seed)
    ]
    return cell


@pytest.mark.parametrize("dataset", ["digits", "gaussian_tree"])
def test_our_own_encoder_brought_from_elsewhere_has_the_numbers_it_has_here(dataset):
    cell = ours("random_init", dataset, seed=1)
    wanted = [
        pair
        for pair in sorted(LEADERBOARD.wanted)
        if registry.load("metrics", pair[0]).reads in ("latents", "labels", "features")
    ]
    world, method = build_ours(cell, "cpu")
    here = score(cell, world, method.eval(), wanted, "cpu")
    theirs = Entrant("twin", Reader(method.encoder), {})
    twin = cell_of(theirs, dataset, cell.dataset_settings, "smoke", 1)
    there = score(twin, *build(twin, theirs), wanted, "cpu")
    assert twin.key != cell.key
    assert len(wanted) > 5
    # Chunks of another size: the sums are rounded otherwise.
    for name, rows in here.items():
        for a, b in zip(rows, there[name], strict=True):
            assert {**a, "value": 0, "reason": ""} == {**b, "value": 0, "reason": ""}
            assert a.get("value") == pytest.approx(b.get("value"), abs=2e-3), name


def test_it_is_measured_as_the_leaderboard_measures_and_written(tmp_path: Path):
    worlds, told = worlds_of(["digits"]), []
    path = evaluate(
        entrant(),
        worlds,
        tier="smoke",
        seeds=range(2),
        device="cpu",
        folder=tmp_path,
        told=told.append,
    )
    assert path == tmp_path / "measurements" / "flat.csv"
    rows = read_rows(path)
    assert set(rows["metric"]) == {metric for metric, _ in LEADERBOARD.wanted}
    assert set(rows["seed"]) == {0, 1}
    assert set(rows["status"]) == {"ok", "skipped"}
    assert set(rows["experiment"]) == {"leaderboard"}
    assert set(rows["method"]) == {"flat"}
    assert rows["versions"].str.contains("torch=").all()
    assert told == ["1/2 digits seed 0", "2/2 digits seed 1"]
    assert failures(path) == {}
    _, (line,) = place(path, worlds, tmp_path, "smoke")
    assert "no controls (random_init, pixels) beside" in line
    # Pixels by another way.
    pixels = ours("pixels", "digits")
    world, method = build_ours(pixels, "cpu")
    found = score(pixels, world, method, [("linear_probe", "unmasked")], "cpu")
    (mean,) = [r for rs in found.values() for r in rs if r.get("token") == "mean"]
    here = rows[(rows["metric"] == "linear_probe") & (rows["seed"] == 0)]
    here = here[here["token"].isin(["mean"])]
    assert here["value"].item() == pytest.approx(mean["value"], abs=1e-6)


def test_features_are_freed_after_every_world_and_seed(tmp_path: Path):
    one = entrant()
    held = []

    def told(_: str) -> None:
        held.append(sum(len(f["mean"]) for f in one.reader._said.values()))

    evaluate(
        one,
        worlds_of(["gaussian_tree", "digits"]),
        tier="smoke",
        seeds=range(2),
        device="cpu",
        folder=tmp_path,
        told=told,
    )
    tier = TIERS["smoke"]
    assert len(held) == 4
    assert max(held) <= tier.n_train + tier.n_val + tier.n_test
    assert not one.reader._said


@pytest.mark.parametrize(
    ("spoil", "status"),
    [(lambda x: x * float("nan"), "error"), (torch.ones_like, "collapsed")],
)
def test_features_without_use_are_failures_with_a_reason(tmp_path, spoil, status):
    path = evaluate(
        entrant(Flat(spoil)), worlds_of(["digits"]), **SMOKE, folder=tmp_path
    )
    rows = read_rows(path)
    assert set(rows["status"]) == {status, "skipped"}
    (where, why), *rest = failures(path).items()
    assert not rest
    assert where.startswith("digits/flat effective_rank, knn_probe, linear_probe")
    assert why
    board, _ = place(path, worlds_of(["digits"]), tmp_path, "smoke")
    said = board["status"].item()
    assert said == f"{status} in 1 of 1 seeds (0.2 to 1): {why}"


def failing(x: Tensor) -> Tensor:
    raise RuntimeError(f"no {list(x.shape)}\nand more")


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (failing, r"flat cannot read images \[2, 1, 8, 8\]: RuntimeError: no"),
        (lambda x: x[0], "flat: its output for 2 images"),
    ],
)
def test_a_network_that_cannot_be_asked_is_one_line_and_leaves_nothing(
    tmp_path, spoil, message
):
    with pytest.raises(UsageError, match=message) as refused:
        evaluate(entrant(Flat(spoil)), worlds_of(["digits"]), **SMOKE, folder=tmp_path)
    assert "\n" not in str(refused.value)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["mae", "random_init", "", "a/b", "../x", "-x", "a b"])
def test_a_name_must_be_a_word_and_not_one_of_ours(name):
    with pytest.raises(UsageError, match="name"):
        entrant(name=name)


def test_settings_are_read_as_their_defaults_are():
    words = ["image_size=24", "grey=True", "path=a=b"]
    found = worlds_of(["image_folder", "digits"], words)
    default = registry.settings(registry.load("datasets", "image_folder"))
    changed = {"image_size": 24, "grey": True, "path": "a=b"}
    assert found == {"image_folder": default | changed, "digits": {}}


@pytest.mark.parametrize("name", ["mnist", "random_hierarchy", "sprites"])
def test_a_world_is_shown_as_the_leaderboard_shows_it(name: str):
    cells = [cell for cell, _ in LEADERBOARD.cells(TIERS["smoke"], range(1))]
    (ours, *_) = [cell for cell in cells if cell.dataset == name]
    assert worlds_of([name]) == {name: dict(ours.dataset_settings)}
    if name == "random_hierarchy":
        found = worlds_of([name], ["symbols=4"])[name]
        assert found == dict(ours.dataset_settings) | {"symbols": 4}


def test_an_encoder_is_shown_the_worlds_that_ours_were_measured_on(tmp_path: Path):
    every = [registry.id_of(world) for world in LEADERBOARD.datasets]
    assert measured_worlds(tmp_path, "quick") == every
    results = Path(__file__).parents[2] / "results"
    found = measured_worlds(results, "quick")
    assert {"mnist", "random_hierarchy"} <= {*found} <= {*every}
    assert measured_worlds(results, "smoke") == every


def test_a_world_that_cannot_be_is_one_line(tmp_path: Path):
    absent = tmp_path / "absent"
    with pytest.raises(UsageError, match="image_folder: there is no"):
        evaluate(
            entrant(),
            worlds_of(["image_folder"], [f"path={absent}"]),
            **SMOKE,
            folder=tmp_path,
        )


BLANK = {
    "seed": 0,
    "rounding": 0,
    "metric": "linear_probe",
    "metric_version": 1,
    "view": "unmasked",
}
BLANK |= {"token": "mean", "target": "", "n_eval": 9, "status": "ok", "reason": ""}
BLANK |= {"experiment": "leaderboard", "train_seconds": 0.0, "commit": "", "dirty": 0}
BLANK |= {"versions": "", "device": "cpu"}


def table(path: Path, dataset: str, tier: str, **methods: list[float]) -> Path:
    """Made-up measurements: method -> a number a seed."""
    rows = [
        BLANK
        | {"dataset": dataset, "method": method, "tier": tier}
        | {"seed": seed, "value": value, "cell": f"{method}{seed}"}
        for method, values in methods.items()
        for seed, value in enumerate(values)
    ]
    frame = pd.DataFrame(rows)
    write_rows(frame, path)
    return path


def test_it_is_ranked_with_ours_by_the_seeds_that_both_have(tmp_path: Path):
    theirs = table(tmp_path / "x.csv", "digits", "quick", best=[0.9, 0.91, 0.92, 0.93])
    known = tmp_path / "measurements" / "leaderboard.csv"
    numbers = {"mae": [0.5, 0.52, 0.53, 0.53], "random_init": [0.3, 0.31, 0.3, 0.31]}
    table(known, "digits", "quick", **numbers)
    board, lines = place(theirs, worlds_of(["digits"]), tmp_path, "quick")
    assert lines == []
    assert list(board["method"]) == ["best", "mae", "random_init"]
    assert list(board["linear_probe_rank_best"])[:2] == [1, 2]
    assert list(board["linear_probe_rank_worst"])[:2] == [1, 2]
    assert board["linear_probe_floor"][0] == pytest.approx(0.305)


def test_a_world_that_shows_every_seed_the_same_images_is_told_of(tmp_path: Path):
    theirs = table(tmp_path / "x.csv", "digits", "quick", best=[0.9, 0.9, 0.9])
    table(tmp_path / "measurements" / "leaderboard.csv", "digits", "quick", mae=[0.5])
    _, (line,) = place(theirs, worlds_of(["digits"]), tmp_path, "quick")
    assert line.startswith("digits has the same images for every seed")


@pytest.mark.parametrize("how", ["no file", "another tier", "another dataset"])
def test_where_ours_are_lacking_it_stands_alone_and_says_so(tmp_path: Path, how: str):
    theirs = table(tmp_path / "x.csv", "digits", "quick", best=[0.9, 0.91])
    known = tmp_path / "measurements" / "leaderboard.csv"
    if how == "another tier":
        table(known, "digits", "full", mae=[0.5, 0.6])
    if how == "another dataset":
        table(known, "gaussian_tree", "quick", mae=[0.5, 0.6])
    board, (line,) = place(theirs, worlds_of(["digits"]), tmp_path, "quick")
    assert list(board["method"]) == ["best"]
    assert line.startswith(str(known))
    assert "no controls (random_init, pixels) beside" in line


def test_a_world_with_other_settings_is_not_the_one_that_ours_were_on(tmp_path: Path):
    theirs = table(tmp_path / "x.csv", "gaussian_tree", "quick", best=[0.9, 0.91])
    known = tmp_path / "measurements" / "leaderboard.csv"
    table(known, "gaussian_tree", "quick", mae=[0.5, 0.6])
    name, value = next(
        (k, v)
        for k, v in worlds_of(["gaussian_tree"])["gaussian_tree"].items()
        if isinstance(v, float)
    )
    other = worlds_of(["gaussian_tree"], [f"{name}={value / 2}"])
    board, (line,) = place(theirs, other, tmp_path, "quick")
    assert list(board["method"]) == ["best"]
    assert "gaussian_tree has settings of its own" in line
    board, lines = place(theirs, worlds_of(["gaussian_tree"]), tmp_path, "quick")
    assert list(board["method"]) == ["best", "mae"]
    assert not lines


def test_it_is_ranked_among_those_that_were_told_the_same(tmp_path: Path):
    known = tmp_path / "measurements" / "leaderboard.csv"
    table(known, "digits", "quick", mae=[0.5, 0.52, 0.54], simclr=[0.6, 0.63, 0.64])
    table(tmp_path / "theirs.csv", "digits", "quick", theirs=[0.7, 0.71, 0.72])
    given = tmp_path / "theirs.csv", worlds_of(["digits"]), tmp_path, "quick"
    for track in ("pixels", "augmentations"):
        board = place(*given, track)[0].set_index("method")
        assert board.loc["theirs", "track"] == track
        best = board["linear_probe_rank_best"]
        assert best["theirs"] == 1
        assert best["mae"] == (2 if track == "pixels" else 1)
        assert best["simclr"] == (1 if track == "pixels" else 2)
