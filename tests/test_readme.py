"""The README's commands, files and names are real."""

import re
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from mae_bench.cli import app
from mae_bench.pages.prose import fill
from mae_bench.records import registry
from mae_bench.runs import launch

ROOT = Path(__file__).parent.parent
PUBLISHED = Path("results", "measurements", "mask_ratio.csv")
README = (ROOT / "README.md").read_text()
MANUAL = sorted((ROOT / "docs").glob("*.md"))
PROSE = "\n".join([README, *(path.read_text("utf-8") for path in MANUAL)])
COMMANDS = sorted(set(re.findall(r"mae-bench ([a-z]+)", PROSE)))
EXAMPLES = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
OPTIONS = sorted(set(re.findall(r"(?<![\w-])(--[a-z-]*[a-z])", PROSE)))


def test_it_is_short() -> None:
    assert README.count("\n") < 200


@pytest.mark.parametrize("readme", ["README.md", "results/README.md"])
def test_its_numbers_are_those_of_the_csvs(readme: str) -> None:
    template = (ROOT / f"{readme}.j2").read_text("utf-8")
    said = fill(template, ROOT / "results")
    same = said == (ROOT / readme).read_text("utf-8")
    assert same, f"edit {readme}.j2, then run make readmes"


@pytest.mark.parametrize("path", MANUAL, ids=lambda path: path.stem)
def test_the_manuals_fields_find_their_numbers(path: Path) -> None:
    assert "{{" not in fill(path.read_text("utf-8"), ROOT / "results")


def test_no_planted_null_is_supported() -> None:
    text = '{{ count("planted") > 0 }} {{ count("planted", "supported") }}'
    assert fill(text, ROOT / "results") == "True 0"


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_that_is_shown_exists(command: str) -> None:
    shown = CliRunner().invoke(app, [command, "--help"])
    assert shown.exit_code == 0, shown.output


def test_every_option_that_is_shown_exists() -> None:
    helps = [CliRunner().invoke(app, [name, "--help"]).output for name in COMMANDS]
    help_text = "".join(helps)
    assert [option for option in OPTIONS if option not in help_text] == []


def test_every_command_that_exists_is_shown() -> None:
    listed = CliRunner().invoke(app, ["--help"]).output
    groups = re.split(r"^[A-Z][a-z ]+:$", listed, flags=re.MULTILINE)[2:]
    found = [re.findall(r"^  ([a-z]+)  ", group, re.MULTILINE) for group in groups]
    assert {command for group in found for command in group} == set(COMMANDS)


def test_every_make_target_that_is_shown_exists() -> None:
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    shown = re.findall(r"`?make ([a-z-]+)", README)
    assert shown
    assert set(shown) <= set(targets)


def test_every_link_and_folder_is_there() -> None:
    links = re.findall(r"\]\(([^)#]+)\)", README)
    folders = re.findall(r"^\| `([^`]+)` ", README, re.MULTILINE)
    assert links
    assert folders
    for path in [x for x in links if "://" not in x] + folders:
        assert (ROOT / path).exists(), path


def test_every_room_is_on_the_map() -> None:
    assert all(f"`mae_bench/{room}/`" in README for room in registry.ROOMS)


# What Lightning says of few workers, short epochs and the like.
@pytest.mark.filterwarnings("ignore::Warning:lightning")
@pytest.mark.parametrize("example", EXAMPLES, ids=lambda text: text.split()[1])
def test_every_example_runs(
    example: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / PUBLISHED).parent.mkdir(parents=True)
    shutil.copy(ROOT / PUBLISHED, tmp_path / PUBLISHED)
    assert len([line for line in example.splitlines() if line]) <= 15
    monkeypatch.chdir(tmp_path)
    # In this process, and of one world.
    monkeypatch.setattr(launch, "cores", lambda: 0)
    smaller = example.replace("seeds=1", 'seeds=1, datasets=["gaussian_tree"]')
    assert (smaller == example) == ("measure" not in example)
    exec(compile(smaller, "README.md", "exec"), {"__name__": "notebook"})  # noqa: S102
    assert capsys.readouterr().out
