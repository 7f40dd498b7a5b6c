from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

import mae_bench
from mae_bench.cli import GROUPS, app

Call = Callable[..., Result]
VERBS = [verb.__name__.removesuffix("_parts") for g in GROUPS.values() for verb in g]


def page(*words: str, columns: int) -> str:
    """What is printed on a terminal of some width."""
    return CliRunner().invoke(app, [*words], terminal_width=columns).stdout


@pytest.mark.parametrize("columns", [60, 80])
def test_the_help_has_every_verb_in_its_group_and_cuts_nothing(columns: int) -> None:
    told = page("-h", columns=columns)
    assert told == page("--help", columns=columns)
    assert "..." not in told.replace("[ARGS]...", "")
    assert max(map(len, told.splitlines())) <= columns
    flat = " ".join(told.split())
    for group, verbs in GROUPS.items():
        assert f"\n{group}:\n" in told
        for verb in verbs:
            assert " ".join((verb.__doc__ or "").partition("\n")[0].split()) in flat


@pytest.mark.parametrize("columns", [60, 80])
@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_a_help_that_is_not_cut(verb: str, columns: int) -> None:
    told = page(verb, "-h", columns=columns)
    assert "--quiet" in told
    assert "…" not in told
    assert max(map(len, told.splitlines())) <= columns


def test_the_version_is_the_packages(call: Call) -> None:
    assert call("--version").stdout == f"mae-bench {mae_bench.__version__}\n"


def test_a_default_is_taken_and_the_command_line_goes_before_it(call: Call) -> None:
    Path("mae_bench.toml").write_text('results = "nowhere"\n')
    assert "no measurements in nowhere;" in call("rank").stderr
    assert "no measurements in here;" in call("rank", "--results", "here").stderr


def test_a_wrong_default_is_told_with_its_place(call: Call) -> None:
    Path("mae_bench.toml").write_text('tier = "smok"\n')
    flat = " ".join(call("rank").stderr.split())
    assert "'smok' is not one of" in flat
    assert "It is from mae_bench.toml." in flat
    mine = call("rank", "--tier", "smo").stderr
    assert "'smo' is not one of" in " ".join(mine.split())
    assert "mae_bench.toml" not in mine


def test_the_environment_goes_between_them(
    call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("mae_bench.toml").write_text('[rank]\nresults = "nowhere"\n')
    monkeypatch.setenv("MAE_BENCH_RANK_RESULTS", "elsewhere")
    assert "no measurements in elsewhere;" in call("rank").stderr
    assert "no measurements in here;" in call("rank", "--results", "here").stderr


def test_an_unknown_key_is_one_line_and_bad_usage(call: Call) -> None:
    Path("mae_bench.toml").write_text("tear = 1\n")
    result = call("list")
    assert (result.exit_code, result.stdout) == (2, "")
    (line,) = result.stderr.splitlines()
    assert "unknown key 'tear'; did you mean tier" in line


@pytest.mark.parametrize("words", [("-v", "rank"), ("rank", "-v")])
def test_who_asks_is_told_of_defaults_and_of_the_place_of_an_error(
    call: Call, words: tuple[str, ...]
) -> None:
    Path("mae_bench.toml").write_text('results = "no[where]"\n')
    told = call(*words).stderr
    assert "Traceback" in told
    assert told.splitlines()[-1].startswith("error: no measurements in no[where];")
    assert "Traceback" not in call("rank").stderr
    first = "default --results no[where], from mae_bench.toml"
    assert (told.splitlines()[0] == first) is (words[0] == "-v")


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("mae-bench run --method u_", ["u_mae"]),
        ("mae-bench run --dataset gaussian_t", ["gaussian_tree"]),
        ("mae-bench info hierarchical_latents/K5-t", ["hierarchical_latents/K5-tree"]),
        ("mae-bench list meth", ["methods"]),
        ("mae-bench regis", ["register"]),
    ],
)
def test_the_shell_completes_verbs_and_names(line: str, expected: list[str]) -> None:
    asked = {
        "_MAE_BENCH_COMPLETE": "complete_bash",
        "COMP_WORDS": line,
        "COMP_CWORD": str(len(line.split()) - 1),
    }
    done = CliRunner().invoke(app, [], env=asked, prog_name="mae-bench")
    assert done.stdout.split() == expected
