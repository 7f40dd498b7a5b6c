"""Commits by name and range; worktrees that are gone afterwards."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from mae_bench.commits import worktree
from mae_bench.records.schema import UsageError


def listed(repo: Path) -> int:
    call = ["git", "-C", str(repo), "worktree", "list"]
    said = subprocess.run(call, capture_output=True, text=True, check=True).stdout
    return said.count("\n")


def test_commits_are_named_alone_by_range_or_by_count(toy: Path, commit) -> None:
    a, b, c = (commit(subject) for subject in ("a", "b", "a \u2502 c"))

    def found(*revisions: str, count: int = 10) -> list[str]:
        return [one.sha for one in worktree.commits(toy, revisions, count)]

    assert found() == [c, b, a]
    assert found(count=2) == [c, b]
    assert found("HEAD~2") == [a]
    assert found(f"{a}..HEAD") == [c, b]
    assert found("HEAD~1", "HEAD~2..HEAD", b[:7]) == [b, c]
    newest = worktree.commits(toy, [], 1)[0]
    assert newest.subject == "a \u2502 c"
    assert newest.date[4] == "-"


def test_a_subject_of_another_encoding_is_read(toy: Path, commit) -> None:
    commit("caf\u00e9")
    call = ["git", "-C", str(toy), "config", "i18n.logOutputEncoding", "latin1"]
    subprocess.run(call, check=True)
    (found,) = worktree.commits(toy, [], 1)
    assert found.subject.startswith("caf")


def test_a_side_branch_is_no_state_of_the_branch(toy: Path, commit) -> None:
    def git(*words: str) -> None:
        who = ("-c", "user.name=n", "-c", "user.email=n@example.org")
        call = ["git", "-C", str(toy), *who, *words]
        subprocess.run(call, check=True, capture_output=True)

    a = commit("a")
    git("checkout", "-q", "-b", "side")
    commit("on the side")
    git("checkout", "-q", "main")
    git("merge", "-q", "--no-ff", "-m", "merged", "side")
    for revisions in ([], [f"{a}..HEAD"]):
        found = [one.subject for one in worktree.commits(toy, revisions, 10)]
        assert found == ["merged", "a"][: 1 if revisions else 2]


def test_the_whole_of_gits_reason_is_said_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = tmp_path / "git"
    said = (
        "fatal: detected dubious ownership in repository\\nTo add, call:\\n\\n\\tgit x"
    )
    script.write_text(f'#!/bin/sh\nprintf "{said}" >&2; exit 128\n')
    script.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    wanted = "^git says: detected dubious ownership in repository To add, call: git x$"
    with pytest.raises(UsageError, match=wanted):
        worktree.top(tmp_path)


@pytest.mark.parametrize("revision", ["nowhere", "nowhere..HEAD", "--all", "-n1"])
def test_an_unknown_revision_is_said_in_one_line(
    toy: Path, commit, revision: str
) -> None:
    commit("a")
    with pytest.raises(UsageError, match=r"git says: [^\n]+$"):
        worktree.commits(toy, [revision], 10)


def test_a_folder_without_a_repository_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="not a git repository"):
        worktree.top(tmp_path)


def test_the_top_is_found_from_below(toy: Path, commit) -> None:
    commit("a")
    assert worktree.top(toy / "mae_bench") == toy.resolve()


def test_a_worktree_has_the_commits_files_and_is_gone_after_an_error(
    toy: Path, commit
) -> None:
    first = commit("first")
    commit("second")
    tree = toy.parent / "places" / "tree"

    def interrupted() -> None:
        with worktree.worktree(toy, first, tree):
            text = (tree / "mae_bench" / "cli.py").read_text()
            assert text.startswith("# first\n")
            assert listed(toy) == 2
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert not tree.exists()
    assert listed(toy) == 1


def test_what_a_killed_run_left_is_no_hindrance(toy: Path, commit) -> None:
    sha = commit("first")
    tree = toy.parent / "tree"
    add = ["git", "-C", str(toy), "worktree", "add", "-q", "--detach", str(tree), sha]
    subprocess.run(add, check=True)
    (tree / "rubbish").touch()
    with worktree.worktree(toy, sha, tree):
        assert not (tree / "rubbish").exists()
    subprocess.run(add, check=True)
    subprocess.run(["rm", "-r", str(tree)], check=True)  # git still knows of it
    with worktree.worktree(toy, sha, tree):
        assert (tree / "mae_bench").is_dir()
    assert listed(toy) == 1


def test_a_hook_of_the_checkout_does_not_run(toy: Path, commit) -> None:
    sha = commit("first")
    hook = toy / ".git" / "hooks" / "post-checkout"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\nexit 1\n")
    hook.chmod(0o755)
    with worktree.worktree(toy, sha, toy.parent / "tree") as tree:
        assert tree.is_dir()


def test_an_unknown_commit_has_no_worktree(toy: Path, commit) -> None:
    commit("first")
    tree = toy.parent / "tree"
    with pytest.raises(UsageError), worktree.worktree(toy, "0" * 40, tree):
        pass
    assert not tree.exists()


def test_the_path_finds_the_trees_modules_and_none_of_an_editable_install(
    toy: Path, commit
) -> None:
    commit("first")
    path = worktree.python_path(toy)
    code = (
        "import mae_bench, importlib.util as u; print(mae_bench.__file__); "
        "print(u.find_spec('mae_bench.records'), u.find_spec('numpy') is not None)"
    )
    env = os.environ | {"PYTHONPATH": path}
    call = [sys.executable, "-c", code]
    done = subprocess.run(
        call, cwd=toy.parent, env=env, capture_output=True, text=True, check=True
    )
    file, rest = done.stdout.splitlines()
    assert Path(file) == toy / "mae_bench" / "__init__.py"
    assert rest == "None True"
