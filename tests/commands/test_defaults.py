from pathlib import Path

import pytest

from mae_bench.commands.defaults import defaults
from mae_bench.records.schema import UsageError

KNOWN = {
    "run": {"tier": "tier", "experiment": "experiments", "dry-run": "dry_run"},
    "judge": {"tier": "tier", "fixed": "fixed"},
}


def found(folder: Path, text: str = "", **environment: str) -> dict[str, object]:
    if text:
        (folder / "mae_bench.toml").write_text(text)
    said = {f"MAE_BENCH_{name}": value for name, value in environment.items()}
    return defaults(KNOWN, said | {"HOME": "/"}, folder)


def test_nothing_is_said_by_default(tmp_path: Path) -> None:
    assert found(tmp_path) == {"run": {}, "judge": {}}


def test_what_is_at_the_top_is_of_every_verb_that_takes_it(tmp_path: Path) -> None:
    text = 'tier = "smoke"\nexperiment = ["a", "b"]\ndry_run = true\nfixed = false\n'
    assert found(tmp_path, text) == {
        "run": {"tier": "smoke", "experiments": ["a", "b"], "dry_run": True},
        "judge": {"tier": "smoke", "fixed": False},
    }


def test_a_table_of_a_verb_goes_before_the_top(tmp_path: Path) -> None:
    text = 'tier = "smoke"\n[run]\ntier = "full"\n'
    assert found(tmp_path, text) == {
        "run": {"tier": "full"},
        "judge": {"tier": "smoke"},
    }


def test_the_environment_goes_before_the_file(tmp_path: Path) -> None:
    text = 'tier = "smoke"\n[run]\ntier = "full"\n'
    both = {"run": {"tier": "quick"}, "judge": {"tier": "quick"}}
    assert found(tmp_path, text, TIER="quick") == both
    one = found(tmp_path, text, TIER="quick", RUN_TIER="smoke")
    assert one == {"run": {"tier": "smoke"}, "judge": {"tier": "quick"}}


def test_the_project_file_is_read_where_there_is_no_other(tmp_path: Path) -> None:
    project = '[tool.mae_bench]\ntier = "smoke"\n[tool.other]\nx = 1\n'
    (tmp_path / "pyproject.toml").write_text(project)
    assert found(tmp_path)["judge"] == {"tier": "smoke"}
    assert found(tmp_path, "fixed = true")["judge"] == {"fixed": True}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("tear = 1", "mae_bench.toml: unknown key 'tear'; did you mean tier"),
        ("[run]\ndryrun = true", "unknown key 'run.dryrun'; did you mean dry-run"),
        ("[rum]\ntier = 1", "unknown key 'rum'; did you mean run"),
        ("[run]\nfixed = true", "unknown key 'run.fixed'"),
        ("[run\ntier = 1", "mae_bench.toml is no TOML: .*line 1"),
    ],
)
def test_what_is_unknown_is_one_line_with_what_is_near(
    tmp_path: Path, text: str, said: str
) -> None:
    with pytest.raises(UsageError, match=said) as raised:
        found(tmp_path, text)
    assert "\n" not in str(raised.value)


def test_a_variable_that_is_unknown_is_named_with_what_is_near(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"'MAE_BENCH_TEIR'; did you mean MAE_BENCH_T"):
        found(tmp_path, TEIR="quick")
