"""The history as a user calls it, in a toy repository."""

import json
from pathlib import Path

import pytest
import typer
from click.testing import Result
from typer.testing import CliRunner

from mae_bench.commands.history import history


@pytest.fixture
def call(toy: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(toy)
    app = typer.Typer()
    app.command()(history)
    places = ["--history", "../history", "--asv", "../asv", "--machine", "My Box"]

    def called(*words: str) -> Result:
        return CliRunner().invoke(app, [*words, *places])

    return called


def fed(toy: Path, sha: str) -> dict:
    path = next((toy.parent / "asv" / "my-box").glob(f"{sha[:8]}-quality-smoke-*.json"))
    return json.loads(path.read_text())["results"]["quality.Leaderboard.track_error"]


def test_each_commit_is_a_line_and_a_file_of_asvs(toy: Path, commit, call) -> None:
    good = commit("good", 0.75)
    bad = commit(
        "a subject that is far too long for a line of " + 20 * "x", start="1/0"
    )
    ran = call()
    assert ran.exit_code == 1
    lines = ran.stdout.splitlines()
    assert lines[0].startswith(bad[:7])
    assert lines[0].endswith("error  ZeroDivisionError: division by zero")
    assert "a subject that is far too long" in lines[0]
    assert 10 * "x" not in lines[0]
    assert lines[1].startswith(good[:7])
    assert " ok " in lines[1]
    assert lines[1].endswith(" s")
    assert fed(toy, bad)[0] is None
    median, params = fed(toy, good)[:2]
    assert median == [pytest.approx(0.23)]  # 1 - 0.77, the third of five seeds
    assert params == [["'world'"], ["'mae'"], ["'mcc_level_0/v2'"]]


def test_a_range_and_a_number_of_commits_can_be_asked_for(
    toy: Path, commit, call
) -> None:
    shas = [commit(name) for name in ("a", "b", "c")]
    found = json.loads(call("-n", "1", "--seeds", "3", "--json").stdout)
    assert [entry["commit"] for entry in found] == [shas[2]]
    assert len(fed(toy, shas[2])[-1][0]) == 3
    ran = call(f"{shas[0]}..HEAD", "--json")
    assert ran.exit_code == 0
    assert [entry["subject"] for entry in json.loads(ran.stdout)] == ["c", "b"]
    unknown = call("nowhere")
    assert unknown.exit_code == 2
    assert unknown.stderr.startswith("error: git says: ")
    assert len(unknown.stderr.splitlines()) == 1


def test_never_runs_nothing_and_reads_what_is_there(toy: Path, commit, call) -> None:
    commit("a")
    new = commit("b")
    call("HEAD~1")
    ran = call("--rerun", "never")
    assert ran.exit_code == 1
    assert ran.stdout.splitlines()[0].endswith("missing  not run yet")
    assert " ok " in ran.stdout.splitlines()[1]
    assert not list((toy.parent / "asv" / "my-box").glob(f"{new[:8]}-*"))


def test_rows_that_were_changed_later_are_a_gap(toy: Path, commit, call) -> None:
    sha = commit("a")
    assert call().exit_code == 0
    path = toy.parent / "history" / sha[:12] / "measurements" / "leaderboard.csv"
    path.write_text(path.read_text().replace("False", "True"))
    ran = call()
    assert ran.exit_code == 1
    assert "measured by changed code" in ran.stdout
    assert fed(toy, sha)[0] is None


def test_outside_of_a_repository_nothing_is_done(
    toy: Path, call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    monkeypatch.chdir(folder)
    ran = call()
    assert ran.exit_code == 2
    assert "not a git repository" in ran.stderr
    assert list(tmp_path.iterdir()) == sorted([folder, toy])


def test_from_a_sub_folder_it_writes_where_it_does_from_the_top(
    toy: Path, commit, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit("a")
    monkeypatch.chdir(toy / "mae_bench")
    app = typer.Typer()
    app.command()(history)
    ran = CliRunner().invoke(app, ["--machine", "My Box"])
    assert ran.exit_code == 0, ran.output
    assert list(toy.glob(".history/*/commit.json"))
    assert list(toy.glob("results/asv/my-box/*.json"))
    assert sorted(path.name for path in (toy / "mae_bench").iterdir()) == [
        "__init__.py",
        "cli.py",
    ]


def test_it_ends_with_what_became_worse_and_since_when(toy: Path, commit, call) -> None:
    commit("a", 0.75)
    commit("b", 0.75)
    bad = commit("c", 0.5)
    assert "3 measured commits are needed" in call("HEAD~1", "HEAD~2").stderr
    ran = call()
    path = toy.parent / "history" / "regressions.csv"
    # The toy has no noise at all, and the newest commit stands alone.
    wanted = f"(worse)   since {bad[:7]}  world mae mcc_level_0/v2: error 0.23 +0.25"
    assert ran.stderr.startswith(wanted)
    assert "over 3 commits; wrote" in ran.stderr
    assert path.read_text().splitlines()[1].startswith("(worse),world mae mcc_level_0")
