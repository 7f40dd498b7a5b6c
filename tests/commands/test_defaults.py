from pathlib import Path

import pytest

from mae_bench.commands.defaults import Taken, defaults
from mae_bench.records.schema import UsageError

TIER = Taken("tier")
KNOWN = {
    "run": {
        "tier": TIER,
        "experiment": Taken("experiments", "words"),
        "dry-run": Taken("dry_run", "switch"),
        "store": Taken("store", "path"),
    },
    "judge": {"tier": TIER, "fixed": Taken("fixed", "switch")},
}


def found(
    folder: Path, text: str = "", **environment: str
) -> dict[str, dict[str, object]]:
    if text:
        (folder / "mae_bench.toml").write_text(text)
    said = {f"MAE_BENCH_{name}": value for name, value in environment.items()}
    given = defaults(KNOWN, said | {"HOME": "/"}, folder)
    return {
        verb: {name: one.value for name, one in mine.items()}
        for verb, mine in given.items()
    }


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


def test_a_file_above_is_read_and_the_nearest_one_rules(tmp_path: Path) -> None:
    below = tmp_path / "a" / "b"
    below.mkdir(parents=True)
    (below / "pyproject.toml").write_text("[project]\nname = 'mine'\n")
    (tmp_path / "mae_bench.toml").write_text('tier = "full"\n[run]\nstore = "s"\n')
    there = {"tier": "full", "store": str(tmp_path / "s")}
    assert found(below) == {"run": there, "judge": {"tier": "full"}}
    (below.parent / "pyproject.toml").write_text("[tool.mae_bench]\ntier = 'smoke'\n")
    assert found(below)["run"] == {"tier": "smoke"}


def test_paths_of_a_file_that_is_here_are_as_they_are_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert found(tmp_path, 'store = "s"', RUN_TIER="quick")["run"]["store"] == "s"


def test_a_word_stands_for_a_list_and_a_variable_has_several(tmp_path: Path) -> None:
    assert found(tmp_path, 'experiment = "a"')["run"] == {"experiments": ["a"]}
    assert found(tmp_path, EXPERIMENT="a b")["run"] == {"experiments": ["a", "b"]}


@pytest.mark.parametrize(("word", "on"), [("1", True), ("No", False), ("true", True)])
def test_a_variable_turns_a_switch_on_or_off(tmp_path: Path, word, on) -> None:
    assert found(tmp_path, FIXED=word)["judge"] == {"fixed": on}


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({"FIXED": "maybe"}, r"\$MAE_BENCH_FIXED: fixed is on or off.* not 'maybe'"),
        ({"JUDGE_FIXED": ""}, r"\$MAE_BENCH_JUDGE_FIXED: fixed is on or off"),
    ],
)
def test_a_variable_of_another_kind_is_told_by_its_name(tmp_path, variables, said):
    with pytest.raises(UsageError, match=said):
        found(tmp_path, **variables)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("tear = 1", "mae_bench.toml: unknown key 'tear'; did you mean tier"),
        ("[run]\ndryrun = true", "unknown key 'run.dryrun'; did you mean dry-run"),
        ("[rum]\ntier = 1", "unknown key 'rum'; did you mean run"),
        ("[run]\nfixed = true", "unknown key 'run.fixed'"),
        ('tier = ["a"]', r"mae_bench.toml: tier takes one value; not \['a'\]"),
        ("tier = true", "tier takes a value, and is not on or off"),
        ("[run]\nexperiment = true", "experiment takes a value"),
        ('fixed = "maybe"', "fixed is on or off: say true or false; not 'maybe'"),
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


@pytest.mark.parametrize("text", ["tool = 3", "[tool]\nother = 1"])
def test_a_project_that_says_nothing_of_us_is_read_over(tmp_path, text: str) -> None:
    (tmp_path / "pyproject.toml").write_text(text)
    assert found(tmp_path) == {"run": {}, "judge": {}}
    (tmp_path / "pyproject.toml").write_text("[tool]\nmae_bench = 3")
    with pytest.raises(UsageError, match=r"of pyproject\.toml is no table of options"):
        found(tmp_path)
