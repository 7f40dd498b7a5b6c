"""Commits of a repository, and their files in a folder of their own."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from mae_bench.records.schema import UsageError
from mae_bench.records.store import write_atomically

# Python runs a file of this name at its start, in every process. An editable install
# answers for each module that a package on the path lacks: it would lend an old commit
# the modules of today.
_ALONE = """import sys
sys.meta_path[:] = [
    finder
    for finder in sys.meta_path
    if not getattr(finder, "__module__", "").startswith("__editable___mae_bench_")
]
"""


@dataclass(frozen=True)
class Commit:
    """A commit of a repository.

    Args:
        sha: Full hash.
        date: When it was committed, ISO 8601.
        subject: First line of its message.
    """

    sha: str
    date: str
    subject: str


def _git(repo: Path, *words: str) -> str:
    """What git says.

    Raises:
        UsageError: In git's words, if it fails.
    """
    call = ["git", "-C", str(repo), *words]
    try:
        # A subject may be of another encoding.
        done = subprocess.run(  # noqa: S603 (our own words)
            call, capture_output=True, encoding="utf-8", errors="replace", check=True
        )
    except FileNotFoundError as error:
        raise UsageError("there is no git here; install it") from error
    except subprocess.CalledProcessError as error:
        said = " ".join(error.stderr.split()) or "it said nothing"
        raise UsageError(f"git says: {said.removeprefix('fatal: ')}") from error
    return done.stdout


def top(folder: Path) -> Path:
    """The checkout that a folder lies in.

    Raises:
        UsageError: It lies in none.
    """
    return Path(_git(folder, "rev-parse", "--show-toplevel").strip())


def commits(repo: Path, revisions: Sequence[str], count: int) -> list[Commit]:
    """The commits that are named, each once; of a merge its first parent's alone.

    Those of its side branch were no states of the branch, and asv shows none.

    Args:
        repo: A checkout.
        revisions: Each a revision, or a range ``A..B``, newest first; HEAD and its
            ancestors if there are none.
        count: How many of those.

    Raises:
        UsageError: Git knows no such revision.
    """
    form = ("log", "--first-parent", "--format=%H%x00%cI%x00%s")
    wanted = [
        ([] if ".." in revision else ["--max-count=1"], revision)
        for revision in revisions
    ] or [([f"--max-count={count}"], "HEAD")]
    lines = [
        line
        for limit, named in wanted
        for line in _git(repo, *form, *limit, "--end-of-options", named).splitlines()
    ]
    return [Commit(*line.split("\0", 2)) for line in dict.fromkeys(lines)]


@contextmanager
def worktree(repo: Path, sha: str, tree: Path) -> Iterator[Path]:
    """The files of a commit, in a folder that is gone afterwards.

    What a killed history left there is removed first.

    Raises:
        UsageError: Git cannot make it.
    """
    _remove(repo, tree)
    tree.parent.mkdir(parents=True, exist_ok=True)
    # Without hooks: they are for people's checkouts.
    make = ("-c", "core.hooksPath=/dev/null", "worktree", "add", "--quiet", "--force")
    try:
        _git(repo, *make, "--detach", str(tree), sha)
        yield tree
    finally:
        _remove(repo, tree)


def _remove(repo: Path, tree: Path) -> None:
    with suppress(UsageError):  # git does not know it
        _git(repo, "worktree", "remove", "--force", "--force", str(tree))
    shutil.rmtree(tree, ignore_errors=True)


def python_path(tree: Path) -> str:
    """What ``PYTHONPATH`` must be for a worktree's package, and no other, to be found.

    A file that keeps an editable install away is written beside the worktree.

    Raises:
        StoreError: It cannot be.
    """
    alone = tree.parent / "alone"
    write_atomically(alone / "sitecustomize.py", _ALONE.encode())
    paths = [str(tree), str(alone), os.environ.get("PYTHONPATH", "")]
    return os.pathsep.join(filter(None, paths))
