"""All kinds of parts are made in a copy of the tree, and are green as written."""

import json
import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pandas as pd
import pytest

from mae_bench.commands import new
from mae_bench.commands.new import ROOMS, check, files, write
from mae_bench.datasets.digits import Digits
from mae_bench.datasets.gaussian_tree import GaussianTree
from mae_bench.records import registry
from mae_bench.records.schema import UsageError

ROOT = Path(__file__).parents[2]
# Of rooms that nothing new is written for there is nothing to be tried.
CONTRACTS = sorted(
    path
    for path in (ROOT / "tests").rglob("test_contract*.py")
    if path.parent.name != "oracles"
)
MADE = {
    "method": "tried_mae",
    "dataset": "tried_world",
    "metric": "tried",
    "theory": "tried_theory",
    "experiment": "tried_grid",
}
Done = subprocess.CompletedProcess[str]


def copy(folder: Path, *names: str) -> Path:
    """Some of the checkout, without what was compiled."""
    for name in names:
        if (ROOT / name).is_dir():
            ignored = shutil.ignore_patterns("__pycache__")
            shutil.copytree(ROOT / name, folder / name, ignore=ignored)
        else:
            shutil.copy(ROOT / name, folder / name)
    return folder


def python(folder: Path, *words: str) -> Done:
    """A module of Python's, run where the package is the folder's."""
    env = os.environ | {"PYTHONPATH": str(folder), "OMP_NUM_THREADS": "1"}
    call = [sys.executable, "-m", *words]
    return subprocess.run(call, cwd=folder, env=env, capture_output=True, text=True)


def paths(kind: str) -> list[str]:
    """The part and its twin."""
    room, name = ROOMS[kind], MADE[kind]
    return [f"mae_bench/{room}/{name}.py", f"tests/{room}/test_{name}.py"]


EVERY = [path for kind in ROOMS for path in paths(kind)]


@pytest.fixture(scope="module")
def said(tree: Path) -> dict[str, Done]:
    """What is said of each kind when it is made."""
    return {
        kind: python(tree, "mae_bench.cli", "new", kind, name)
        for kind, name in MADE.items()
    }


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the checkout."""
    names = ("mae_bench", "tests", "pyproject.toml", "constraints.txt")
    return copy(tmp_path_factory.mktemp("checkout"), *names)


@pytest.mark.parametrize("kind", ROOMS)
def test_a_part_and_its_twin_are_written_and_named(
    kind: str, said: dict[str, Done], tree: Path
) -> None:
    done = said[kind]
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[:2] == paths(kind)
    assert done.stdout.splitlines()[2].startswith("next: ")
    assert all((tree / path).exists() for path in paths(kind))


@pytest.mark.usefixtures("said")
def test_every_part_is_listed_with_its_sentence(tree: Path) -> None:
    listed = " ".join(python(tree, "mae_bench.cli", "list").stdout.split())
    for name in MADE.values():
        _, told = listed.split(f" {name} ")  # folded where the terminal ends
        assert "ake it yours" in told[:100]


@pytest.mark.usefixtures("said")
def test_every_part_is_formatted_linted_and_typed(tree: Path) -> None:
    cache = str(ROOT / ".mypy_cache")
    for words in (
        ("ruff", "format", "--check", *EVERY),
        ("ruff", "check", *EVERY),
        ("mypy", "--cache-dir", cache, *EVERY[::2]),
    ):
        done = python(tree, *words)
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.usefixtures("said")
def test_every_part_keeps_its_twins_promises_and_those_of_all_parts(
    tree: Path,
) -> None:
    house = [str(path.relative_to(ROOT)) for path in CONTRACTS]
    house.append("tests/test_architecture.py")
    chosen = "tried or has_its_twin"
    done = python(tree, "pytest", "-v", *EVERY[1::2], *house, "-k", chosen)
    assert done.returncode == 0, done.stdout
    passed = [line for line in done.stdout.splitlines() if " PASSED " in line]
    for test in (*EVERY[1::2], *house):
        assert any(line.startswith(test) for line in passed), test
    for name in MADE.values():
        assert any("contract" in line and name in line for line in passed)
    assert any("has_its_twin" in line for line in passed)


@pytest.mark.usefixtures("said")
def test_a_new_method_world_and_metric_stand_on_the_leaderboard(tree: Path) -> None:
    world = tree / paths("dataset")[0]
    text = world.read_text().replace("]] = ()", ']] = ("leaderboard",)')
    world.write_text(text)
    about = python(tree, "mae_bench.cli", "info", "leaderboard", "--json")
    assert "tried_world" in json.loads(about.stdout)["datasets"]
    known, unknown = registry.id_of(GaussianTree), registry.id_of(Digits)
    words = "run --tier smoke --seeds 1 --jobs 0 --experiment leaderboard --method"
    words += f" tried_mae --dataset tried_world --dataset {known} --dataset {unknown}"
    done = python(tree, "mae_bench.cli", *words.split())
    assert done.returncode == 0, done.stderr
    board = pd.read_csv(tree / "my_results" / "smoke" / "leaderboard.csv")
    mine = board[board["method"] == "tried_mae"].set_index("dataset")
    assert set(mine.index) == {"tried_world", known, unknown}
    assert (mine["status"] == "ok").all()
    assert mine.loc["tried_world", "linear_r2_level_0"] > 0.5
    told = mine["tried_level_0"].notna()
    assert {*mine.index[~told]} == {unknown}


def test_it_is_refused_where_the_package_is_installed(tmp_path: Path) -> None:
    wheel = copy(tmp_path, "mae_bench")
    before = sorted(wheel.rglob("*.py"))
    done = python(wheel, "mae_bench.cli", "new", "metric", "tried")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.endswith(
        'joins by [project.entry-points."mae_bench.metrics"] '
        'tried = "my_package.tried:tried"\n'
    )
    assert len(done.stderr.splitlines()) == 1
    assert sorted(wheel.rglob("*.py")) == before


def test_the_templates_are_in_the_wheel() -> None:
    setup = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]
    patterns = setup["package-data"]["mae_bench"]
    shipped = {path for pattern in patterns for path in new.HOUSE.glob(pattern)}
    assert set(new.TEMPLATES.iterdir()) <= shipped
    assert {path.stem for path in new.TEMPLATES.iterdir()} == {
        start + kind for kind in ROOMS for start in ("", "test_")
    }


@pytest.mark.parametrize(
    ("room", "name", "reason"),
    [
        ("methods", "MyMAE", "'MyMAE' is not in snake_case; did you mean my_mae?"),
        ("methods", "my-mae", "did you mean my_mae?"),
        ("methods", "../mae", "did you mean mae?"),
        ("methods", "3d", "'3d' is not in snake_case$"),
        ("methods", "_mine", "did you mean mine?"),
        ("methods", "a__b", "did you mean a_b?"),
        ("theories", "lambda", "'lambda' is a word of Python's"),
        ("metrics", "sum", "'sum' is a word of Python's"),
        ("datasets", "base_exception", "'base_exception' is a word of Python's"),
        ("methods", "u_mae", "'u_mae' is taken in methods: u_mae, .*m_mae"),
        ("theories", "visible_share", "'visible_share' is taken in theories"),
    ],
)
def test_a_name_that_cannot_be_is_refused(room: str, name: str, reason: str) -> None:
    with pytest.raises(UsageError, match=reason):
        check(room, name)


def test_a_name_is_taken_in_its_room_and_case_alone() -> None:
    check("datasets", "u_mae")
    check("metrics", "mean_of_sum")
    # Split is in its template; split is not.
    assert files("metric", "split")


@pytest.mark.parametrize(
    ("kind", "name", "reason"),
    [
        ("method", "m_a_e", "would hide another MAE"),
        ("dataset", "batch", "would hide another Batch"),
        ("metric", "torch", "would hide another torch"),
        ("metric", "scored", "would hide another scored"),
        ("theory", "a" * 40, "is too long; choose a shorter one"),
    ],
)
def test_a_name_that_its_template_cannot_take_is_refused(
    kind: str, name: str, reason: str
) -> None:
    with pytest.raises(UsageError, match=reason):
        files(kind, name)


@pytest.mark.parametrize("last", [0, 1])
def test_nothing_is_overwritten_and_nothing_is_left_half(
    last: int, tmp_path: Path
) -> None:
    one, two = tmp_path / "part.py", tmp_path / "test_part.py"
    texts = {one: "1", two: "2"}
    list(texts)[last].write_text("mine")
    with pytest.raises(UsageError, match="is there; nothing is written"):
        write(texts)
    assert [path.read_text() for path in tmp_path.iterdir()] == ["mine"]
    with pytest.raises(OSError, match="away"):
        write({tmp_path / "other.py": "1", tmp_path / "away" / "test.py": "2"})
    assert len(list(tmp_path.iterdir())) == 1


def test_an_unknown_kind_is_answered_with_near_ones() -> None:
    done = python(ROOT, "mae_bench.cli", "new", "methods", "x")
    assert done.returncode == 2
    assert done.stderr.startswith("error: no kind of part 'methods'; did you mean met")
    assert len(done.stderr.splitlines()) == 1
