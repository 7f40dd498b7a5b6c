import json
from contextlib import nullcontext
from inspect import signature
from pathlib import Path

import pytest
import typer

from mae_bench.commands.console import end, errors_in_one_line, heard, volume
from mae_bench.records.schema import UsageError


@pytest.mark.parametrize(
    ("error", "code"), [(UsageError("no such thing"), 2), (OSError("disk full"), 1)]
)
def test_an_error_is_one_line_and_an_exit_code(
    error: Exception, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    @errors_in_one_line
    def command() -> None:
        raise error

    with pytest.raises(typer.Exit) as stopped:
        command()
    assert stopped.value.exit_code == code
    out, err = capsys.readouterr()
    assert (out, err) == ("", f"error: {error}\n")


def test_what_is_said_is_no_mark_up(capsys: pytest.CaptureFixture[str]) -> None:
    @errors_in_one_line
    def command() -> None:
        raise UsageError("write [project] and a:star:b")

    with pytest.raises(typer.Exit):
        command()
    assert capsys.readouterr().err == "error: write [project] and a:star:b\n"


def test_a_bug_is_not_taken_for_bad_usage() -> None:
    @errors_in_one_line
    def command() -> None:
        raise ValueError("a bug")

    with pytest.raises(ValueError, match="a bug"):
        command()


def test_the_end_names_what_failed(capsys: pytest.CaptureFixture[str]) -> None:
    end({}, Path("results"), as_json=False)
    assert capsys.readouterr() == ("", "wrote results\n")
    with pytest.raises(typer.Exit) as stopped:
        end({"digits/mae": "diverged: nan"}, Path("results"), as_json=False)
    assert stopped.value.exit_code == 1
    assert "digits/mae: diverged: nan" in capsys.readouterr().err
    with pytest.raises(typer.Exit):
        end({"a": "b"}, Path("r"), as_json=True)
    assert json.loads(capsys.readouterr().out) == {"results": "r", "failed": {"a": "b"}}


@pytest.mark.parametrize("failed", [{}, {"digits/mae": "diverged: [nan]"}])
def test_who_wants_quiet_hears_of_failures_alone(
    failed: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    @heard
    def command() -> None:
        end(failed, Path("results"), as_json=False)

    volume(quiet=False, verbose=False)
    with nullcontext() if not failed else pytest.raises(typer.Exit):
        command(quiet=True, verbose=False)
    err = capsys.readouterr().err
    assert "wrote" not in err
    assert ("diverged: [nan]" in err) is bool(failed)
    volume(quiet=False, verbose=False)


def test_a_command_that_is_heard_keeps_its_own_options() -> None:
    @heard
    def command(name: str, n: int = 3) -> None:
        """Say it."""

    assert [*signature(command).parameters] == ["name", "n", "quiet", "verbose"]
    assert command.__doc__ == "Say it."
