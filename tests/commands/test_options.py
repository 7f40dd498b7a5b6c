"""Options are declared once, and a command takes them as keywords of its own."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, get_args

import pytest
import typer
from typer.testing import CliRunner

from mae_bench.commands.options import (
    Evaluating,
    Measuring,
    Rerun,
    TierName,
    spread,
)
from mae_bench.records.schema import TIERS
from mae_bench.runs.plan import Rerun as Planned


def test_the_command_line_offers_every_tier_and_way_to_rerun() -> None:
    assert [tier.value for tier in TierName] == list(TIERS)
    assert [rerun.value for rerun in Rerun] == list(get_args(Planned))


@dataclass(frozen=True)
class Walking:
    far: Annotated[int, typer.Option(min=1, help="Miles.")] = 3
    with_dog: Annotated[bool, typer.Option("--dog", help="Or alone.")] = False


@spread(Walking)
def walk(
    wish: Walking,
    place: Annotated[str, typer.Argument(help="Where to.")],
    as_json: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """Go for a walk."""
    typer.echo(f"{place} {wish.far} {wish.with_dog} {as_json}")


def test_a_command_has_the_options_of_its_dataclass_and_its_own() -> None:
    app = typer.Typer()
    app.command()(walk)
    assert CliRunner().invoke(app, ["home"]).stdout == "home 3 False False\n"
    ran = CliRunner().invoke(app, ["home", "--far", "5", "--dog", "--json"])
    assert ran.stdout == "home 5 True True\n"
    assert CliRunner().invoke(app, ["home", "--far", "0"]).exit_code == 2
    told = CliRunner().invoke(app, ["--help"]).stdout
    assert "Go for a walk." in told
    assert "Miles." in told


def test_as_a_function_it_takes_the_same_by_keyword(
    capsys: pytest.CaptureFixture[str],
) -> None:
    walk("home", far=7)
    assert capsys.readouterr().out == "home 7 False False\n"
    with pytest.raises(TypeError, match="fast"):
        walk("home", fast=True)


@pytest.mark.parametrize("kind", [Measuring, Evaluating])
def test_what_is_measured_goes_to_no_published_folder(kind: type) -> None:
    asked = kind()
    assert asked.results is None
    assert getattr(asked, "output", Path("my_results")).parts[0] == "my_results"


def test_seeds_are_a_count_or_first_and_end() -> None:
    app = typer.Typer()
    app.command()(spread(Measuring)(say_seeds))
    assert CliRunner().invoke(app, ["--seeds", "5"]).stdout == "[0, 1, 2, 3, 4]\n"
    assert CliRunner().invoke(app, ["--seeds", "5:7"]).stdout == "[5, 6]\n"


def say_seeds(wish: Measuring) -> None:
    typer.echo(list(wish.seeds or []))
