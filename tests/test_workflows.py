"""What runs on the server is written down here, so it is checked here."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml

from mae_bench.cli import app

ROOT = Path(__file__).parent.parent
FILES = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
MAKEFILE = (ROOT / "Makefile").read_text()
TARGETS = set(re.findall(r"^([\w./-]+):", MAKEFILE, re.M))
VERBS: Any = typer.main.get_command(app)


def jobs(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(path.read_text())["jobs"]
    return found


def steps(path: Path) -> Iterator[dict[str, Any]]:
    for job in jobs(path).values():
        yield from job["steps"]


def commands(path: Path) -> Iterator[list[str]]:
    for step in steps(path):
        for line in step.get("run", "").splitlines():
            yield shlex.split(line)


def complaint(words: list[str]) -> str:
    """Why a command cannot run; empty if it can."""
    program, *rest = words
    if program == "make":
        lost = [target for target in rest if target not in TARGETS]
        return f"make has no target {lost}" if lost else ""
    if words[:3] == ["python", "-m", "mae_bench.cli"]:
        program, rest = ".venv/bin/mae-bench", rest[2:]
    if program == ".venv/bin/mae-bench":
        verb = VERBS.commands.get(rest[0])
        if verb is None:
            return f"mae-bench has no command {rest[0]}"
        known = {name for option in verb.params for name in option.opts}
        asked = {word.partition("=")[0] for word in rest if word.startswith("-")}
        return f"{rest[0]} has no {asked - known}" if asked - known else ""
    if words[:2] == ["npm", "install"]:
        return "" if "@" in words[-1] else f"{words[-1]} has no version"
    if words[:3] == ["python", "-m", "pip"]:
        return "" if words[3] == "install" else f"pip has no {words[3]}"
    if rest[:2] == ["-m", "pytest"] and program.endswith("python"):
        lost = [word for word in rest[2:] if not (ROOT / word).exists()]
        return f"no tests at {lost}" if lost else ""
    return "" if (ROOT / program).is_file() else f"{program} is not in the repository"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_every_step_runs_something_that_there_is(path: Path) -> None:
    found = list(commands(path))
    assert found
    assert [complaint(words) for words in found if complaint(words)] == []


def test_every_change_must_pass_something_that_there_is() -> None:
    lines = (ROOT / ".ci" / "run").read_text().splitlines()
    found = [shlex.split(line) for line in lines if line.startswith("make ")]
    gates = ["check", "docs", "test", "test-rounding"]
    assert [words[1] for words in found] == gates
    assert [complaint(words) for words in found if complaint(words)] == []
    listed = re.findall(r"^ROUNDING := ((?:.+\\\n)*.+)$", MAKEFILE, re.M)
    (named,) = (text.replace("\\", "").split() for text in listed)
    assert len(named) > 5
    assert all((ROOT / "tests" / name).exists() for name in named)


@pytest.mark.parametrize(
    "line",
    [
        "make sites",
        ".venv/bin/mae-bench measured",
        ".venv/bin/mae-bench measure --seed 3",
        ".venv/bin/python -m pytest tests/test_nothing.py",
        ".ci/walk",
        "python -m mae_bench.cli walk",
        "python -m pytest tests/test_nothing.py",
    ],
)
def test_a_step_that_cannot_run_is_seen(line: str) -> None:
    assert complaint(shlex.split(line))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_jobs_end_and_actions_have_a_version(path: Path) -> None:
    for job in jobs(path).values():
        assert job["timeout-minutes"] <= 180
    for step in steps(path):
        assert len({"run", "uses"} & set(step)) == 1
        assert re.fullmatch(r"[\w-]+/[\w-]+@v\d+", step.get("uses", "a/b@v1"))


def test_every_system_and_python_is_tried() -> None:
    job = jobs(ROOT / ".github" / "workflows" / "ci.yml")["platforms"]
    matrix = job["strategy"]["matrix"]
    assert job["runs-on"] == "${{ matrix.os }}"
    assert [name.partition("-")[0] for name in matrix["os"]] == [
        "ubuntu",
        "macos",
        "windows",
    ]
    assert matrix["python"] == ["3.11", "3.12", "3.13"]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_what_speaks_of_commits_has_all_of_them(path: Path) -> None:
    for job in jobs(path).values():
        lines = " ".join(step.get("run", "") for step in job["steps"])
        depths = [s["with"].get("fetch-depth") for s in job["steps"] if "with" in s]
        if "mae-bench history" in lines or "make site" in lines:
            assert 0 in depths


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_no_word_of_a_stranger_is_run_as_a_command(path: Path) -> None:
    for step in steps(path):
        assert "${{" not in step.get("run", "")
    assert yaml.safe_load(path.read_text())["permissions"] == {"contents": "read"}
