"""Sides: what a word means, and whose numbers are refused."""

import json
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pandas as pd
import pytest

from mae_bench.commits.sides import side, tidy
from mae_bench.datasets.gaussian_tree import GaussianTree
from mae_bench.experiments import Experiment
from mae_bench.methods.oracle_latents import OracleLatents
from mae_bench.methods.random_init import RandomInit
from mae_bench.metrics.effective_rank import effective_rank
from mae_bench.records import registry
from mae_bench.records.merge import write_rows
from mae_bench.records.schema import UsageError
from mae_bench.records.store import Store
from mae_bench.runs.known import Known
from mae_bench.runs.measure import Run
from mae_bench.runs.plan import pending, plan

PLAIN = Experiment(
    question="Where does it stand?",
    expected={},
    datasets=(GaussianTree,),
    methods=(RandomInit, OracleLatents),
    metrics=(effective_rank,),
    factors={"depth": (1, 2)},
    cost="nothing",
)


def git(*words: str) -> str:
    who = ["-c", "user.name=a", "-c", "user.email=a@b", "-c", "commit.gpgsign=false"]
    call = ["git", *who, *words]
    return subprocess.run(
        call, check=True, capture_output=True, text=True
    ).stdout.strip()


@pytest.fixture
def commit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The one commit of a repository in the working folder."""
    monkeypatch.chdir(tmp_path)
    git("init", "--quiet")
    git("commit", "--quiet", "--allow-empty", "-m", "first")
    return git("rev-parse", "HEAD")


@pytest.fixture
def write(one_row: dict[str, Any]) -> Callable[..., None]:
    base = one_row | {"lamb": "", "train_seconds": 8.0, "commit": ""}

    def rows_into(folder: Path, *rows: dict[str, object]) -> None:
        table = pd.DataFrame([base | changed for changed in rows])
        write_rows(table, folder / "measurements" / "e.csv")

    return rows_into


@pytest.fixture
def filed(write: Callable[..., None]) -> Callable[..., None]:
    """The record of a commit, and its rows."""

    def file(
        commit: str,
        *rows: dict[str, object],
        record: Mapping[str, object] = MappingProxyType({}),
    ) -> None:
        folder = Path(".history") / commit[:12]
        folder.mkdir(parents=True)
        if rows:
            write(folder, *rows)
        whole = {"commit": commit, "status": "ok", "reason": "", **record}
        (folder / "commit.json").write_text(json.dumps(whole))

    return file


def test_a_results_folder_is_read_with_its_factors_as_one_text(
    tmp_path: Path, write
) -> None:
    write(tmp_path, {}, {"seed": 1, "lamb": 0.01})
    found = side(str(tmp_path))
    assert found.commit == ""
    assert set(found.rows["factors"]) == {
        "mask_ratio=0.75",
        "mask_ratio=0.75 lamb=0.01",
    }
    assert found.facts()["tier"] == "quick"
    assert found.facts()["seeds"] == "2"


def test_a_level_is_alike_among_numbers_and_among_words(one_row) -> None:
    numbers = pd.DataFrame([one_row | {"mask_ratio": 1.0}])
    words = pd.DataFrame([one_row | {"mask_ratio": "1.0"}])
    one, two = (tidy({"e": rows})["factors"].item() for rows in (numbers, words))
    assert one == two == "mask_ratio=1"


def test_a_number_that_stands_there_twice_is_refused(tmp_path: Path, write) -> None:
    write(tmp_path, {}, {"value": 0.6})
    with pytest.raises(UsageError, match=r"contradict each other.*linear_probe"):
        side(str(tmp_path))


def only(
    monkeypatch: pytest.MonkeyPatch, experiments: Mapping[str, Experiment]
) -> None:
    """Let these be all the experiments that there are."""
    names, load = registry.names, registry.load

    def named(room: str) -> list[str]:
        return list(experiments) if room == "experiments" else names(room)

    def loaded(room: str, name: str) -> Any:
        return experiments[name] if room == "experiments" else load(room, name)

    monkeypatch.setattr(registry, "names", named)
    monkeypatch.setattr(registry, "load", loaded)


@pytest.mark.parametrize("seeds", [range(3), range(5, 9)], ids=str)
def test_a_store_is_laid_out_as_the_results_that_were_measured_with_it(
    seeds: range, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store(tmp_path / "store")
    wanted = plan({"plain": PLAIN}, tier="smoke", seeds=seeds, store=store)
    due = pending(wanted, store, Known(), "missing")
    Run(wanted, store, tmp_path / "results").measure(due, [])
    only(monkeypatch, {"plain": PLAIN})
    one, two = side(str(tmp_path / "store")), side(str(tmp_path / "results"))
    assert set(one.rows["seed"]) == set(seeds)
    pd.testing.assert_frame_equal(one.rows, two.rows)


def test_a_store_of_foreign_cells_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    only(monkeypatch, {"plain": PLAIN})
    (tmp_path / "cells" / "0123456789abcdef").mkdir(parents=True)
    with pytest.raises(UsageError, match="has 1 cells and none is of an experiment"):
        side(str(tmp_path))


def test_a_word_that_is_nothing_is_answered_in_one_line(commit: str) -> None:
    del commit
    for word in ("nowhere", "--all"):
        with pytest.raises(UsageError, match=rf"'{word}' is no folder .* no commit"):
            side(word)


def test_a_commits_measurements_are_found_by_any_of_its_names(
    commit: str, filed
) -> None:
    filed(commit, {"commit": commit[:12]})
    for word in ("HEAD", commit, commit[:9]):
        found = side(word)
        assert (found.commit, found.word) == (commit, word)
        assert found.facts()["commit"] == commit[:12]


def test_a_commit_that_was_never_measured_says_what_to_do(commit: str) -> None:
    del commit
    with pytest.raises(UsageError, match="run mae-bench history HEAD first"):
        side("HEAD")


def test_a_commit_that_could_not_be_measured_says_why(commit: str, filed) -> None:
    filed(commit, record={"status": "error", "reason": "ImportError: no torch"})
    with pytest.raises(UsageError, match="was not measured: error: ImportError: no t"):
        side("HEAD")


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({"dirty": True}, "with uncommitted changes"),
        ({"commit": "0123456789ab"}, "are of 0123456789ab"),
        ({"commit": ""}, "are of no commit"),
    ],
)
def test_numbers_of_other_code_are_not_filed_under_a_commit(
    commit: str, row: dict[str, object], reason: str, filed
) -> None:
    good = {"commit": commit[:12]}
    filed(commit, good, good | {"seed": 1} | row)
    with pytest.raises(UsageError, match=f"^1 rows filed under HEAD .*{reason}"):
        side("HEAD")


def test_cells_that_were_not_run_need_no_commit(commit: str, filed) -> None:
    lost = {"seed": 1, "status": "missing", "commit": "", "value": None, "metric": ""}
    filed(commit, {"commit": commit[:12]}, lost)
    assert len(side("HEAD").rows) == 2


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        ({"commit": "f" * 40}, "is of commit ffff"),
        ({"status": None}, "was not measured: None"),
    ],
)
def test_a_record_of_another_commit_is_refused(
    commit: str, record: dict[str, object], reason: str, filed
) -> None:
    filed(commit, {"commit": commit[:12]}, record=record)
    with pytest.raises(UsageError, match=reason):
        side("HEAD")


def test_a_record_that_is_none_is_named(commit: str, filed) -> None:
    filed(commit)
    (Path(".history") / commit[:12] / "commit.json").write_text("[]")
    with pytest.raises(UsageError, match=r"commit\.json is no record"):
        side("HEAD")


def test_a_commit_without_files_is_named(commit: str, filed) -> None:
    filed(commit)
    with pytest.raises(UsageError, match="measure HEAD again"):
        side("HEAD")


def test_uncommitted_changes_of_a_folder_are_told(tmp_path: Path, write) -> None:
    write(tmp_path, {"commit": "0123456789ab", "dirty": True})
    commit = side(str(tmp_path)).facts()["commit"]
    assert commit == "0123456789ab with uncommitted changes"
