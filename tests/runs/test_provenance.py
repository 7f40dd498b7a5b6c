import subprocess
from pathlib import Path

import pytest

from mae_bench.runs import provenance


def git(folder: Path, *words: str) -> str:
    call = ["git", "-c", "user.name=a", "-c", "user.email=a@b", "-C", str(folder)]
    done = subprocess.run([*call, *words], check=True, capture_output=True, text=True)
    return done.stdout.strip()


def test_a_clean_checkout_gives_its_commit_and_a_changed_one_is_dirty(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    house = tmp_path / "house"
    (house / "runs").mkdir(parents=True)
    (house / "runs" / "provenance.py").write_text("")
    (tmp_path / "results.csv").write_text("")
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-qm", "first")
    monkeypatch.setattr(provenance, "__file__", str(house / "runs" / "provenance.py"))
    commit = git(tmp_path, "rev-parse", "--short=12", "HEAD")
    assert provenance.code() == {"commit": commit, "dirty": False}
    (tmp_path / "results.csv").write_text("new results are no change of the code")
    assert provenance.code()["dirty"] is False
    (house / "new.py").write_text("")
    assert provenance.code() == {"commit": commit, "dirty": True}


@pytest.mark.parametrize("ignored", ["", ".venv"])
def test_the_commit_of_a_project_that_we_are_installed_in_is_not_ours(
    ignored: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    house = tmp_path / ".venv" / "lib" / "mae_bench" / "runs"
    house.mkdir(parents=True)
    (house / "provenance.py").write_text("")
    (tmp_path / "own.py").write_text("")
    (tmp_path / ".gitignore").write_text(ignored)
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", "own.py")
    git(tmp_path, "commit", "-qm", "first")
    monkeypatch.setattr(provenance, "__file__", str(house / "provenance.py"))
    assert provenance.code() == {"commit": "", "dirty": False}


def test_outside_a_checkout_there_is_no_commit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(provenance, "__file__", str(tmp_path / "provenance.py"))
    assert provenance.code() == {"commit": "", "dirty": False}


def test_the_machine_names_its_libraries_and_processor() -> None:
    found = provenance.machine("cpu")
    assert found["device"].startswith("cpu ")
    assert {"mae_bench", "torch", "lightning", "processor"} <= {
        pair.partition("=")[0] for pair in found["versions"].split()
    }
