import json
from collections.abc import Callable
from pathlib import Path

import pytest
import typer
from click.testing import Result
from typer.testing import CliRunner

from mae_bench.commands.outcome import NOT_EVIDENCE
from mae_bench.commands.site import site
from mae_bench.pages import site as verb
from mae_bench.records.schema import UsageError


@pytest.fixture
def call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """The command alone, in an empty folder."""
    monkeypatch.chdir(tmp_path)
    app = typer.Typer()
    app.command()(site)
    return lambda *words: CliRunner().invoke(app, list(words))


def test_the_command_passes_on_what_it_is_told_and_names_the_pages(
    call: Callable[..., Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[object] = []

    def made(*words: object, **named: object) -> list[Path]:
        asked.extend([*words, named["vendor"]])
        named["told"]("a word on the way")  # type: ignore[operator]
        return [Path("a.html"), Path("b.html")]

    monkeypatch.setattr(verb, "site", made)
    result = call()
    paths = ["results", "results/asv", "build/site"]
    assert asked == [*map(Path, paths), None]
    assert result.stdout.split() == ["a.html", "b.html"]
    assert "a word on the way" in result.stderr
    assert NOT_EVIDENCE not in result.stderr
    assert NOT_EVIDENCE in call("--tier", "smoke").stderr
    asked.clear()
    words = ["--results", "r", "--asv", "a", "--output", "o", "--vendor", "v", "--json"]
    assert json.loads(call(*words).stdout) == ["a.html", "b.html"]
    assert asked == [Path(word) for word in "raov"]


@pytest.mark.parametrize(
    ("failure", "code"),
    [(UsageError("no such thing"), 2), (OSError("disk is full"), 1)],
)
def test_what_goes_wrong_is_one_line(
    failure: Exception,
    code: int,
    call: Callable[..., Result],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fails(*_: object, **__: object) -> None:
        raise failure

    monkeypatch.setattr(verb, "site", fails)
    result = call()
    assert result.exit_code == code
    assert result.stderr == f"error: {failure}\n"


def test_what_one_has_made_is_shown_before_the_published(
    call: Callable[..., Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[object] = []

    def made(*words: object, **_: object) -> list[Path]:
        asked.extend(words)
        return []

    monkeypatch.setattr(verb, "site", made)
    Path("my_results/smoke").mkdir(parents=True)
    Path("my_results/smoke/verdicts.csv").write_text("")
    assert "read results, wrote build/site" in call().stderr
    assert (
        "read my_results/smoke, wrote o"
        in call("--tier", "smoke", "--output", "o").stderr
    )
    assert asked[::3] == [Path("results"), Path("my_results/smoke")]


def test_in_an_empty_folder_nothing_is_written(
    call: Callable[..., Result], tmp_path: Path
) -> None:
    result = call()
    assert result.exit_code == 2
    assert "leaderboard.csv" in result.stderr
    assert list(tmp_path.iterdir()) == []
