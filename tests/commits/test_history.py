"""Histories of a toy repository: gaps, resumption, two at once."""

import json
import os
import subprocess
from functools import partial
from pathlib import Path

import pytest

from mae_bench.commits import history, worktree
from mae_bench.commits.history import Entry, Wish
from mae_bench.records.schema import UsageError
from tests.processes import start

WISH = Wish("smoke", 5, ("leaderboard",))


def unasked(entry: Entry, tree: Path) -> str:
    raise AssertionError(f"timed {entry.subject} in {tree}")


def unheard(entry: Entry) -> None:
    assert entry.commit


def walk(
    toy: Path, *revisions: str, wish: Wish = WISH, limit: float = 30.0, **other
) -> list[Entry]:
    chosen = worktree.commits(toy, revisions, 10)
    settings = {"rerun": "missing", "told": unheard, "speed": unasked}
    settings |= other
    home = toy.parent / "history"
    return history.walk(chosen, wish, repo=toy, history=home, limit=limit, **settings)


def runs(toy: Path, sha: str) -> int:
    path = history.place(toy.parent / "history", sha) / "ran"
    return path.read_text().count("ran") if path.exists() else 0


def test_each_commit_is_measured_by_its_own_code(toy: Path, commit) -> None:
    shas = [commit("first", 0.5), commit("second", 0.7)]
    second, first = walk(toy)
    assert [first.commit, second.commit] == shas
    assert [first.status, second.status] == ["ok", "ok"]
    assert (first.subject, second.subject) == ("first", "second")
    for entry, value in ((first, 0.5), (second, 0.7)):
        folder = history.place(toy.parent / "history", entry.commit)
        rows = history.measurements(folder, entry)["leaderboard"]
        assert rows["value"].tolist() == pytest.approx(
            [value + s / 100 for s in range(5)]
        )
        assert history.read(folder) == entry
        assert sorted(p.name for p in folder.glob("tree*")) == []
    assert (
        subprocess.run(
            ["git", "-C", str(toy), "worktree", "list"], capture_output=True, text=True
        ).stdout.count("\n")
        == 1
    )


def test_a_commit_that_cannot_be_run_is_a_gap_and_stops_no_other(
    toy: Path, commit
) -> None:
    commit("good")
    commit("broken", start="import no_such_part")
    commit("killed", start="import os; os.kill(os.getpid(), 9)")
    commit("usage", start="sys.exit('error: no such option')")
    commit("good again")
    entries = {entry.subject: entry for entry in walk(toy)}
    assert {name: entry.status for name, entry in entries.items()} == {
        "good": "ok",
        "broken": "error",
        "killed": "error",
        "usage": "error",
        "good again": "ok",
    }
    assert entries["broken"].reason == (
        "ModuleNotFoundError: No module named 'no_such_part'"
    )
    assert entries["killed"].reason == "killed by SIGKILL"
    assert entries["usage"].reason == "error: no such option"


def test_a_commit_that_takes_too_long_is_stopped(toy: Path, commit) -> None:
    commit("slow", start="time.sleep(60)")
    (entry,) = walk(toy, limit=0.5)
    assert (entry.status, entry.reason) == ("timeout", "not done after 0.5 s")
    assert not list(history.place(toy.parent / "history", entry.commit).glob("tree*"))


def test_a_commit_without_our_package_does_not_borrow_the_installed_one(
    toy: Path, commit
) -> None:
    commit("good")
    (toy / "mae_bench" / "cli.py").unlink()
    call = ["git", "-C", str(toy), "-c", "user.name=n", "-c", "user.email=n@e"]
    subprocess.run([*call, "commit", "-qam", "no command line"], check=True)
    (gap,) = walk(toy, "HEAD")
    assert gap.status == "error"
    assert gap.reason == "No module named mae_bench.cli"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ("row.update(dirty=True)", "changed code"),
        ("row.update(commit='0123456789ab')", "code of 0123456789ab, not of"),
        ("row.update(commit='')", "code of no commit"),
        ("row.update(tier='quick')", "tier quick, not smoke"),
    ],
)
def test_rows_of_other_code_are_refused(
    toy: Path, commit, change: str, reason: str
) -> None:
    commit("odd", change=change)
    (entry,) = walk(toy)
    assert entry.status == "error"
    assert reason in entry.reason


def test_cells_that_failed_make_a_commit_partial_and_leave_its_rows(
    toy: Path, commit
) -> None:
    commit("half", end="sys.exit('  world/mae/seed 3: diverged')")
    (entry,) = walk(toy)
    assert (entry.status, entry.reason) == ("partial", "world/mae/seed 3: diverged")
    assert entry.measured


def test_what_is_known_is_not_run_again_unless_it_is_asked_for(
    toy: Path, commit
) -> None:
    good, bad = commit("good"), commit("bad", start="", end="sys.exit('no')")
    walk(toy)
    assert (runs(toy, good), runs(toy, bad)) == (1, 1)
    again = walk(toy)
    assert [entry.status for entry in again] == ["partial", "ok"]
    assert (runs(toy, good), runs(toy, bad)) == (1, 1)
    walk(toy, rerun="failed")
    assert (runs(toy, good), runs(toy, bad)) == (1, 2)
    walk(toy, rerun="always")
    assert (runs(toy, good), runs(toy, bad)) == (2, 3)
    other = Wish("smoke", 3, ("leaderboard",))
    never = walk(toy, wish=other, rerun="never")
    assert {entry.status for entry in never} == {"missing"}
    assert (runs(toy, good), runs(toy, bad)) == (2, 3)
    assert {entry.seeds for entry in walk(toy, wish=other)} == {3}
    assert (runs(toy, good), runs(toy, bad)) == (3, 4)


def test_a_killed_history_goes_on(toy: Path, commit) -> None:
    sha = commit("good")
    folder = history.place(toy.parent / "history", sha)
    tree = folder / f"tree-{sha[:12]}"
    subprocess.run(
        ["git", "-C", str(toy), "worktree", "add", "-q", "--detach", str(tree), sha],
        check=True,
    )
    (tree / "mae_bench" / "cli.py").write_text("half written")
    (folder / "commit.json").write_text('{"commit": ')
    (entry,) = walk(toy)
    assert entry.status == "ok"
    assert not tree.exists()


def test_speed_is_asked_once_and_only_of_what_was_measured(toy: Path, commit) -> None:
    commit("good")
    commit("bad", start="import no_such_part")
    asked = []

    def speed(entry: Entry, tree: Path) -> str:
        asked.append(entry.subject)
        assert (tree / "mae_bench" / "cli.py").exists()
        return "ok"

    walk(toy)
    timed = Wish("smoke", 5, ("leaderboard",), speed=True)
    for _ in range(2):
        bad, good = walk(toy, wish=timed, speed=speed)
    assert asked == ["good"]
    assert (bad.speed, good.speed) == ("", "ok")
    assert walk(toy, wish=timed, speed=speed)[1].speed == "ok"


def test_measurements_of_an_entry_are_refused_when_they_are_gone(
    toy: Path, commit
) -> None:
    commit("good")
    (entry,) = walk(toy)
    folder = history.place(toy.parent / "history", entry.commit)
    (folder / "measurements" / "leaderboard.csv").unlink()
    with pytest.raises(UsageError, match="measure the experiment 'leaderboard'"):
        history.measurements(folder, entry)


def test_two_histories_at_once_share_the_work_and_lose_nothing(
    toy: Path, commit
) -> None:
    shas = [commit(f"number {i}", 0.1 * i, start="time.sleep(0.3)") for i in range(4)]
    words = ["--history", "../history", "--asv", "../asv", "--machine", "m", "--json"]
    folders = [toy.parent / f"told {i}" for i in range(2)]
    there = partial(os.chdir, toy)
    both = [start(["history", *words], folder, there) for folder in folders]
    for process in both:
        process.join(240)
    assert [process.exitcode for process in both] == [0, 0]
    said = [json.loads((folder / "out").read_text()) for folder in folders]
    for entries in said:
        assert sorted(entry["commit"] for entry in entries) == sorted(shas)
        assert {entry["status"] for entry in entries} == {"ok"}
    assert [runs(toy, sha) for sha in shas] == [1, 1, 1, 1]
    files = sorted(p.name[:8] for p in (toy.parent / "asv" / "m").glob("*-quality-*"))
    assert files == sorted(sha[:8] for sha in shas)
