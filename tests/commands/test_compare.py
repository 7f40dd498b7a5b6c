"""The gate as a user calls it: words in, table and exit code out."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import typer
from click.testing import Result
from typer.testing import CliRunner

from mae_bench.commands.compare import compare
from mae_bench.records.merge import write_rows

Call = Callable[..., Result]
SPREAD = (0.002, -0.001, 0.0, 0.001, -0.002)


@pytest.fixture
def gate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Call:
    """The command, in an empty folder."""
    monkeypatch.chdir(tmp_path)
    app = typer.Typer(pretty_exceptions_enable=False)
    app.command()(compare)
    return lambda *words: CliRunner().invoke(app, list(words))


def results(folder: str, shift: float = 0.0, seeds: int = 5, **columns: Any) -> str:
    rows = [
        {
            "experiment": "leaderboard",
            "dataset": "gaussian_tree",
            "method": "mae",
            "tier": "smoke",
            "precision": "32-true",
            "seed": seed,
            "rounding": 0,
            "metric": "linear_probe",
            "metric_version": 1,
            "view": "unmasked",
            "token": "mean",
            "target": "",
            "value": 0.5 + 0.1 * seed + shift + (SPREAD[seed] if shift else 0.0),
            "n_eval": 2000,
            "status": "ok",
            "reason": "",
            "train_seconds": 8.0,
            "cell": "c",
            "commit": "0123456789ab",
            "dirty": False,
            "versions": "torch=2",
            "device": "cpu x86_64",
        }
        | columns
        for seed in range(seeds)
    ]
    write_rows(pd.DataFrame(rows), Path(folder) / "measurements" / "leaderboard.csv")
    return folder


def test_identical_sides_pass(gate: Call) -> None:
    got = gate(results("a"), results("b"))
    assert got.exit_code == 0
    assert "**0 worse, 0 better, 2 same, 0 unknown** (exit 0" in got.stdout


@pytest.mark.parametrize(
    ("shift", "code", "words"),
    [(-0.1, 1, "1 worse"), (0.1, 0, "1 better"), (-0.02, 0, "1 unknown")],
)
def test_the_exit_code_follows_the_change(
    gate: Call, shift: float, code: int, words: str
) -> None:
    got = gate(results("a"), results("b", shift))
    assert got.exit_code == code
    assert words in got.stdout
    assert f"(exit {code};" in got.stdout


@pytest.mark.parametrize(
    "columns",
    [{"seeds": 3}, {"metric_version": 2}, {"tier": "quick"}, {"device": "cuda H200"}],
)
def test_what_cannot_be_compared_is_incomplete(
    gate: Call, columns: dict[str, Any]
) -> None:
    got = gate(results("a"), results("b", **columns))
    assert got.exit_code == 2
    assert "exit 2; incomplete" in got.stdout


def test_unlike_devices_are_compared_on_demand(gate: Call) -> None:
    words = results("a"), results("b", device="cuda H200")
    assert "devices differ: cpu x86_64 -> cuda H200" in gate(*words).stdout
    got = gate(*words, "--across-devices")
    assert got.exit_code == 0
    assert "Note: compared across devices" in got.stdout


def test_a_slowdown_is_worse_unless_speed_does_not_count(gate: Call) -> None:
    words = results("a"), results("b", train_seconds=17.0)
    got = gate(*words)
    assert got.exit_code == 1
    assert "## speed" in got.stdout
    assert gate(*words, "--no-speed").exit_code == 0


def test_the_table_is_written_and_what_is_the_same_is_shown(gate: Call) -> None:
    got = gate(results("a"), results("b"), "--all", "--output", "page/x.md")
    assert Path("page/x.md").read_text() == got.stdout
    assert "| same " in got.stdout


def test_json_is_the_only_thing_on_stdout(gate: Call) -> None:
    got = gate(results("a"), results("b", -0.1), "--json")
    found = json.loads(got.stdout)
    assert (got.exit_code, found["exit"], found["counts"]["worse"]) == (1, 1, 1)


def test_a_disk_that_fails_is_no_regression(gate: Call) -> None:
    Path("file").write_text("mine")
    got = gate(results("a"), results("b"), "--output", "file/x.md")
    assert got.exit_code == 2
    assert got.stderr.startswith("error: cannot write file/x.md")


def test_a_side_that_is_nothing_is_one_line(gate: Call) -> None:
    got = gate(results("a"), "nowhere")
    assert (got.exit_code, got.stdout) == (2, "")
    assert len(got.stderr.splitlines()) == 1
    assert "'nowhere' is no folder" in got.stderr


@pytest.mark.parametrize("folder", ["b", "runs[/old]", "run[a]"])
def test_a_side_that_cannot_be_read_is_a_line_and_not_worse(
    gate: Call, folder: str
) -> None:
    assert gate(results("a"), results(folder)).exit_code == 0
    path = Path(folder, "measurements", "leaderboard.csv")
    head, *rows = path.read_text().splitlines()
    path.write_text("\n".join([head, "<<<<<<< HEAD", *rows]))
    got = gate("a", folder)
    assert (got.exit_code, got.stdout) == (2, "")
    (line,) = got.stderr.splitlines()
    assert line.startswith(f"error: {path}, line 2: 1 fields, and not")


def test_two_commits_of_the_history_are_compared(gate: Call) -> None:
    def git(*words: str) -> str:
        who = ["-c", "user.name=a", "-c", "user.email=a@b"]
        call = ["git", *who, "-c", "commit.gpgsign=false", *words]
        done = subprocess.run(call, check=True, capture_output=True, text=True)
        return done.stdout.strip()

    git("init", "--quiet")
    for shift in (0.0, -0.1):
        git("commit", "--quiet", "--allow-empty", "-m", f"{shift}")
        commit = git("rev-parse", "HEAD")
        folder = results(f"h/{commit[:12]}", shift, commit=commit[:12])
        record = {"commit": commit, "status": "ok", "reason": ""}
        (Path(folder) / "commit.json").write_text(json.dumps(record))
    got = gate("HEAD~1", "HEAD", "--history", "h")
    assert got.exit_code == 1
    assert commit[:12] in got.stdout
    assert gate("HEAD", "HEAD~1", "--history", "h").exit_code == 0
    unmeasured = gate("HEAD~1", "HEAD")
    assert unmeasured.exit_code == 2
    assert "run mae-bench history HEAD~1 first" in unmeasured.stderr
