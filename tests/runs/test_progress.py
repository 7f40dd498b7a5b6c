import io

import pytest
from rich.console import Console

from mae_bench.runs.progress import left, progress


def console(*, terminal: bool = False) -> Console:
    return Console(file=io.StringIO(), force_terminal=terminal, width=100)


def text(where: Console) -> str:
    assert isinstance(where.file, io.StringIO)
    return where.file.getvalue()


@pytest.mark.parametrize(
    ("done", "total", "seconds", "said"),
    [
        (0, 9, 5.0, "time left unknown"),
        (1, 2, 61.0, "1:01 left"),
        (5, 5, 70.0, "0:00 left"),
        (1, 121, 30.0, "1:00:00 left"),
    ],
)
def test_the_time_left_is_at_the_pace_so_far(
    done: int, total: int, seconds: float, said: str
) -> None:
    assert left(done, total, seconds) == said


def test_without_a_terminal_the_end_is_one_plain_line() -> None:
    where = console()
    with progress(2, where) as told:
        told("a", "ok", "")
        told("b", "ok", "")
    assert text(where) == "cells 2/2 · 0 failed · 0:00 left\n"


def test_a_failure_is_told_at_once_and_counted() -> None:
    where = console()
    with progress(3, where) as told:
        told("one", "diverged", "the loss was nan by step 50")
        assert text(where) == "diverged: one: the loss was nan by step 50\n"
        told("two", "timeout", "ran over 60 s")
        told("three", "diverged", "again")
    last = text(where).splitlines()[-1]
    assert last.startswith("cells 3/3 · 2 diverged, 1 timeout · ")


def test_foreign_words_are_no_mark_up() -> None:
    where = console()
    with progress(1, where) as told:
        told("a [ab12]", "error", "[/red] [Gloo] :star: refused")
    said = text(where).splitlines()[0]
    assert said == "error: a [ab12]: [/red] [Gloo] :star: refused"


def test_a_long_silence_is_broken_by_a_plain_line(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("mae_bench.runs.progress.PLAIN_EVERY", -1.0)
    where = console()
    with progress(3, where) as told:
        told("a", "ok", "")
    assert text(where).startswith("cells 1/3 · 0 failed · ")


def test_a_terminal_gets_a_bar() -> None:
    where = console(terminal=True)
    with progress(2, where) as told:
        told("a", "error", "lost")
        told("b", "ok", "")
    assert "error: a: lost" in text(where)
    assert "2/2" in text(where)
    assert "1 error" in text(where)


def test_nothing_to_do_says_nothing() -> None:
    where = console()
    with progress(0, where):
        pass
    assert text(where) == ""
