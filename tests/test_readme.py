"""The README's commands, files and names are real."""

import csv
import re
import shutil
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

from mae_bench.cli import app
from mae_bench.records import registry
from mae_bench.runs import launch

ROOT = Path(__file__).parent.parent
PUBLISHED = Path("results", "measurements", "mask_ratio.csv")
README = (ROOT / "README.md").read_text()
COMMANDS = sorted(set(re.findall(r"mae-bench ([a-z]+)", README)))
EXAMPLES = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
OPTIONS = sorted(set(re.findall(r"`?(--[a-z-]*[a-z])", README)))


def test_it_is_short() -> None:
    assert README.count("\n") < 220


def verdicts_of(*standings: str) -> list[str]:
    """Of what was measured, planted nulls apart."""
    with (ROOT / "results" / "verdicts.csv").open(encoding="utf-8", newline="") as file:
        rows = [r for r in csv.DictReader(file) if r["verdict"] != "not_measured"]
    return [r["verdict"] for r in rows if r["standing"].startswith(standings)]


def test_its_counts_are_those_of_the_verdicts() -> None:
    said = " ".join(README.split())
    for standings, words in {
        ("theorem", "derived"): "{} of {} framed ones hold and {} are refuted",
        ("extrapolation",): "beyond them {} of {} hold and {} are refuted",
    }.items():
        mine = verdicts_of(*standings)
        counts = mine.count("supported"), len(mine), mine.count("refuted")
        assert words.format(*counts) in said


def test_so_are_those_of_the_evidence() -> None:
    said = " ".join((ROOT / "results" / "README.md").read_text("utf-8").split())
    mine = verdicts_of("theorem", "derived", "extrapolation")
    kinds = ("supported", "refuted", "undecided", "void", "control_open", "untestable")
    words = (
        "of {} predictions that have rows {} are supported, {} refuted, {} undecided, "
        "{} void, {} open, {} untestable; {} are about optima"
    )
    counts = [mine.count(kind) for kind in (*kinds, "not_converged")]
    assert words.format(len(mine), *counts) in said
    nulls = verdicts_of("planted")
    assert f"Of {len(nulls)} planted nulls that have rows none is supported" in said
    assert "supported" not in nulls


def test_its_numbers_of_real_images_are_those_of_the_rows() -> None:
    rows = pd.read_csv(ROOT / "results" / "measurements" / "real_images.csv")
    rows = rows.query("dataset == 'mnist' and metric == 'linear_probe'")
    means = rows.query("token == 'mean'").groupby("method")["value"].mean()
    mae, pixels = (f"{means[method]:.3f}"[1:] for method in ("mae", "pixels"))
    assert f"{mae} to {pixels}" in " ".join(README.split())


def test_the_evidences_table_is_that_of_the_leaderboard() -> None:
    with (ROOT / "results" / "leaderboard.csv").open(encoding="utf-8") as file:
        board = {(r["dataset"], r["method"]): r for r in csv.DictReader(file)}
    text = (ROOT / "results" / "README.md").read_text("utf-8")
    lines = [line for line in text.splitlines() if ", equal " in line and "|" in line]
    for line in lines:
        world = "mnist" if "mnist" in line else "random_hierarchy"
        name = "label_probe_at_cost" if "cost" in line else "label_probe"
        for method in ("mae", "moco_v3", "sim_mim", "vicreg", "supervised"):
            row = board[world, method]
            number = f"{float(row[name]):.3f}"
            shown = method in line or method in ("mae", "supervised")
            assert not shown or number.removeprefix("0") in line, (line, method)
    assert len(lines) == 4


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
    targets = re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    shown = re.findall(r"make ([a-z]+)", README)
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
