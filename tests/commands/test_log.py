"""One cell's log is read by the beginning of its key."""

from collections.abc import Callable
from pathlib import Path

from click.testing import Result

from mae_bench.runs import logs


def test_what_a_cell_printed_is_shown(call: Callable[..., Result]) -> None:
    store = Path(".store")
    logs.note(store, "abcd1234", "[red]brackets[/red] :smile:")
    logs.note(store, "ef001234", "another")
    ran = call("log", "ab")
    assert ran.exit_code == 0
    assert ran.stdout == "[red]brackets[/red] :smile:\n"
    assert "abcd1234.log" in ran.stderr


def test_a_cell_that_has_none_is_one_line(call: Callable[..., Result]) -> None:
    ran = call("log", "ab", "--store", "nowhere")
    assert ran.exit_code == 2
    (line,) = ran.stderr.splitlines()
    assert "no logs in" in line


def test_why_a_cell_failed_is_in_its_log(call: Callable[..., Result]) -> None:
    words = ("--tier", "smoke", "--seeds", "1", "--dataset", "gaussian_tree")
    words += ("--experiment", "leaderboard", "--method", "pixels", "--jobs", "0")
    assert call("measure", *words).exit_code == 0
    (log,) = Path(".store/logs").iterdir()
    said = call("log", log.stem[:6]).stdout
    assert f"gaussian_tree/pixels/seed 0 [{log.stem}]" in said
    assert said.rstrip().endswith("-- ok")
