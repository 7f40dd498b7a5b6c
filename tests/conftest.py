"""A repository whose history can be measured in a moment."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

# Others' code before ours: within ours, jaxtyping's hook would have it compiled anew.
import kornia  # noqa: F401
import lightning  # noqa: F401
import pytest
import scipy.stats  # noqa: F401
import seaborn  # noqa: F401
import sklearn.linear_model  # noqa: F401

from mae_bench.records import folders
from mae_bench.records.rows import COLUMNS

# A package of our name that measures nothing and writes one table of rows.
CLI = f"""
import csv, pathlib, subprocess, sys, time
{{start}}
words = dict(zip(sys.argv[2::2], sys.argv[3::2]))
here = str(pathlib.Path(__file__).parent)
say = lambda *w: subprocess.run(["git", "-C", here, *w], capture_output=True, text=True)
commit = say("rev-parse", "--short=12", "HEAD").stdout.strip()
results = pathlib.Path(words["--results"])
with (results / "ran").open("a") as file:
    file.write("ran\\\\n")
row = dict.fromkeys({list(COLUMNS)!r}, "")
row.update(experiment="leaderboard", dataset="world", method="mae", metric="mcc",
    metric_version=2, target="level_0", token="mean", view="unmasked", status="ok",
    tier=words["--tier"], commit=commit, dirty=False, n_eval=9, train_seconds=0,
    rounding=0)
(results / "measurements").mkdir()
with (results / "measurements" / "leaderboard.csv").open("w", newline="") as file:
    table = csv.DictWriter(file, row)
    table.writeheader()
    for seed in range(int(words["--seeds"])):
        row.update(seed=seed, value={{value}} + seed / 100)
        {{change}}
        table.writerow(row)
{{end}}
"""
Commit = Callable[..., str]


@pytest.fixture(autouse=True)
def no_checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty folder is a user's who has nothing, though we run from a checkout."""
    monkeypatch.setattr(folders, "CHECKOUT", tmp_path / "no checkout")


@pytest.fixture
def toy(tmp_path: Path) -> Path:
    """A repository without a commit."""
    repo = tmp_path / "toy"
    (repo / "mae_bench").mkdir(parents=True)
    (repo / "mae_bench" / "__init__.py").write_text("")
    subprocess.run(["git", "init", "--quiet", "-b", "main", str(repo)], check=True)
    return repo


@pytest.fixture
def commit(toy: Path) -> Commit:
    """Commit a state of the toy's command line; gives its hash."""

    def git(*words: str) -> str:
        who = ("-c", "user.name=n", "-c", "user.email=n@example.org")
        call = ["git", "-C", str(toy), *who, *words]
        env = os.environ | {"GIT_CONFIG_GLOBAL": os.devnull}
        done = subprocess.run(call, check=True, capture_output=True, text=True, env=env)
        return done.stdout.strip()

    def make(
        subject: str,
        value: float = 0.5,
        start: str = "",
        change: str = "pass",
        end: str = "",
    ) -> str:
        text = CLI.format(value=value, start=start, change=change, end=end)
        (toy / "mae_bench" / "cli.py").write_text(f"# {subject}\n{text}")
        git("add", "--all")
        git("commit", "--quiet", "--message", subject)
        return git("rev-parse", "HEAD")

    return make
