import importlib
import json
import shutil
import subprocess
from collections.abc import Callable
from io import StringIO
from pathlib import Path

import pandas as pd
import pytest
from click.testing import Result

from mae_bench.commands import pipeline, verbs
from mae_bench.datasets.gaussian_tree import GaussianTree
from mae_bench.pages import inputs

ROOT = Path(__file__).parent.parent.parent
Call = Callable[..., Result]
# One dataset, in this process: eight cheap cells that share a store.
SMALL = ("--tier", "smoke", "--seeds", "1", "--jobs", "0", "--dataset", "gaussian_tree")


def written(folder: Path) -> list[str]:
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*"))


@pytest.mark.parametrize(
    ("option", "typo", "near"),
    [
        ("--method", "u_mea", "u_mae"),
        ("--dataset", "gausian_tree", "gaussian_tree"),
        ("--experiment", "uniformty", "uniformity"),
    ],
)
@pytest.mark.parametrize("verb", ["run", "measure"])
def test_an_unknown_name_is_answered_in_one_line_with_near_ones(
    call: Call, tmp_path: Path, verb: str, option: str, typo: str, near: str
) -> None:
    result = call(verb, "--tier", "smoke", option, typo)
    assert result.exit_code == 2
    (line,) = result.stderr.splitlines()
    assert line.startswith("error: unknown ")
    assert repr(typo) in line
    assert near in line
    assert (result.stdout, written(tmp_path)) == ("", [])


def test_a_device_that_is_not_there_is_named(call: Call, tmp_path: Path) -> None:
    result = call("measure", "--tier", "smoke", "--device", "tpu")
    assert result.exit_code == 2
    (line,) = result.stderr.splitlines()
    assert "no device 'tpu' here" in line
    assert written(tmp_path) == []


@pytest.mark.parametrize(
    "words",
    [
        ("--tier", "huge"),
        ("--rerun", "sometimes"),
        ("--seeds", "0"),
        ("--seeds", "7:5"),
        ("--seeds", "many"),
        ("--jobs", "-1"),
        ("--frobnicate",),
    ],
)
def test_bad_options_say_what_is_admitted(
    call: Call, tmp_path: Path, words: tuple[str, ...]
) -> None:
    result = call("measure", *words)
    assert result.exit_code == 2
    assert words[0] in result.stderr.splitlines()[-1]
    assert "Traceback" not in result.stderr
    assert written(tmp_path) == []


def test_an_unknown_tier_is_answered_with_all_of_them(call: Call) -> None:
    last = call("run", "--tier", "huge").stderr.splitlines()[-1]
    assert all(tier in last for tier in ("smoke", "quick", "full"))


def test_filters_that_leave_nothing_are_bad_usage(call: Call, tmp_path: Path) -> None:
    words = ("--experiment", "uniformity", "--method", "pixels")
    result = call("measure", *SMALL, *words)
    assert result.exit_code == 2
    assert "none of uniformity runs pixels" in result.stderr
    assert written(tmp_path) == []


def test_from_nothing_to_the_leaderboard_and_each_verb_again(
    call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ("--experiment", "leaderboard", "--method", "random_init", "--method")
    ran = call("run", *SMALL, *words, "oracle_latents", "--results", "r")
    assert ran.exit_code == 0, ran.output
    assert "random_init" in ran.stdout
    *_, counted, new, smoke, after, wrote = ran.stderr.splitlines()
    assert counted.endswith(" not measured")
    assert new.startswith("new: ")
    assert smoke.startswith("tier smoke is not evidence")
    assert after.endswith("mae-bench site --tier smoke --results r")
    assert wrote == "wrote r"
    results = Path("r")
    names = ("leaderboard.csv", "verdicts.csv", "theories.csv", "forecasts.csv")
    before = {name: (results / name).read_bytes() for name in names}
    assert (results / "measurements" / "leaderboard.csv").exists()
    judged, ranked = (call(verb, "--results", "r") for verb in ("judge", "rank"))
    drawn = call("plot", "--results", "r")
    assert [r.exit_code for r in (judged, ranked, drawn)] == [0, 0, 0]
    assert "not_measured" in judged.stdout
    assert judged.stdout.splitlines()[-1].startswith("planted nulls: ")
    assert ranked.stdout.splitlines()[0].split()[:2] == ["dataset", "method"]
    assert "r/figures/leaderboard.png" in drawn.stdout.splitlines()
    assert {name: (results / name).read_bytes() for name in names} == before
    for verb in ("judge", "rank", "plot"):
        assert json.loads(call(verb, "--results", "r", "--json").stdout)
    assert not Path("results").exists()
    # Of what has not changed nothing is judged, and the same is said.
    monkeypatch.setattr(verbs, "judge", None)
    again = call("run", *SMALL, *words, "oracle_latents", "--results", "r")
    assert (again.exit_code, again.stdout) == (0, ran.stdout)


@pytest.mark.parametrize(
    "changed",
    ["measurements/a.csv", "measurements/b.csv", "registered.csv", "verdicts.csv"],
)
def test_what_has_changed_is_judged_and_ranked_anew(
    changed: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    results = Path("results")
    (results / "measurements").mkdir(parents=True)
    (results / "measurements" / "a.csv").write_text("rows")
    (results / "verdicts.csv").write_text("before")
    asked = []

    def judge(folder: Path) -> None:
        asked.append(folder)
        (folder / "verdicts.csv").write_text("judged")

    monkeypatch.setattr(verbs, "judge", judge)
    monkeypatch.setattr(verbs, "rank", lambda _: pd.DataFrame())
    monkeypatch.setattr(verbs, "plot", lambda _: [])
    monkeypatch.setattr(inputs, "frame", lambda _: pd.DataFrame())
    for count in (1, 1, 2):
        if count == 2:
            (results / changed).write_text("other")
        pipeline.conclude(results, "quick", as_json=True)
        assert asked == [results] * count
    assert (results / "verdicts.csv").read_text() == "judged"


def test_a_number_of_seeds_that_was_fixed_is_judged_by_student(call: Call) -> None:
    words = ("--experiment", "linear_noise", "--tier", "smoke", "--jobs", "0")
    assert call("measure", *words, "--seeds", "5").exit_code == 0
    said = {}
    for option in ((), ("--fixed",)):
        ended = call("judge", "--tier", "smoke", "--json", *option)
        rows = pd.read_json(StringIO(ended.stdout)).set_index("prediction")
        said[option] = rows[rows["n_seeds"] == 5]
    assert set(said["--fixed",]["asked"]) == {20.0}
    both = said[()].join(said["--fixed",].add_suffix("_fixed")).dropna(subset="e_value")
    assert len(both)
    # Looked at once, the same seeds say more.
    assert (both["e_value_fixed"] >= both["e_value"]).all()
    assert (both["estimate_fixed"] == both["estimate"]).all()


def test_a_tier_has_a_results_folder_of_its_own(call: Call) -> None:
    words = ("--experiment", "leaderboard", "--method", "oracle_latents")
    result = call("measure", *SMALL, *words, "--json")
    said = json.loads(result.stdout)
    assert said == {"results": "my_results/smoke", "failed": {}}
    assert written(Path("my_results")) == [
        "smoke",
        "smoke/measurements",
        "smoke/measurements/.lock",
        "smoke/measurements/leaderboard.csv",
    ]


ONE = (*SMALL, "--experiment", "leaderboard", "--method", "oracle_latents")


def test_a_cell_that_fails_makes_the_exit_code_1_and_says_why(
    call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    train = importlib.import_module("mae_bench.training.train")

    def failing(*_: object) -> None:
        raise LookupError("no images today")

    with monkeypatch.context() as patch:
        patch.setattr(train, "train", failing)
        result = call("measure", *ONE)
    assert result.exit_code == 1
    assert "1 cells failed:" in result.stderr
    assert "oracle_latents/seed 0" in result.stderr
    assert "LookupError: no images today" in result.stderr
    again = call("measure", *ONE, "--json")
    assert again.exit_code == 1
    assert "LookupError" in next(iter(json.loads(again.stdout)["failed"].values()))
    assert call("measure", *ONE, "--rerun", "failed").exit_code == 0


@pytest.mark.parametrize("option", ["--store", "--results"])
def test_a_disk_that_cannot_be_written_is_one_line_and_harms_nothing(
    call: Call, tmp_path: Path, option: str
) -> None:
    assert call("measure", *ONE, "--results", "r").exit_code == 0
    Path("file").write_text("mine")
    before = {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()}
    # A folder below a regular file: cannot be written even by root. What is measured
    # asks for no store: it is measured again.
    words = (*ONE, "--rerun", "always", "--results", "r")
    result = call("measure", *words, option, "file/inside")
    assert result.exit_code == 1
    assert result.stderr.splitlines()[-1].startswith("error: cannot write file/inside")
    assert "Traceback" not in result.stderr
    assert {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()} == before


@pytest.mark.parametrize("verb", ["judge", "rank", "plot"])
def test_a_verb_without_measurements_says_what_to_do(call: Call, verb: str) -> None:
    result = call(verb, "--results", "nowhere")
    assert result.exit_code == 2
    assert "measure" in result.stderr
    assert len(result.stderr.splitlines()) == 1
    assert not Path("nowhere").exists()


@pytest.mark.parametrize("verb", ["judge", "rank", "plot"])
def test_a_file_that_is_no_table_of_measurements_is_named(
    call: Call, verb: str
) -> None:
    folder = Path("r/measurements")
    folder.mkdir(parents=True)
    (folder / "leaderboard.csv").write_text("a,b\n1,2\n")
    result = call(verb, "--results", "r")
    assert result.exit_code == 2
    assert "r/measurements/leaderboard.csv lacks" in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_a_second_run_runs_nothing(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "1 cells, 1 to run" in call("measure", *ONE).stderr

    def forbidden(*_: object) -> None:
        raise AssertionError("drew an image")

    monkeypatch.setattr(GaussianTree, "sample", forbidden)
    again = call("measure", *ONE)
    assert again.exit_code == 0
    assert "1 cells, 0 to run" in again.stderr


def git(*words: str) -> str:
    who = ["-c", "user.name=a", "-c", "user.email=a@b"]
    call = ["git", *who, *words]
    return subprocess.run(call, check=True, capture_output=True, text=True).stdout


def test_no_verb_touches_the_published_evidence(call: Call) -> None:
    for name in (".gitignore", "results/leaderboard.csv", "results/verdicts.csv"):
        Path(name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, name)
    Path("results/measurements").mkdir()
    shutil.copy(ROOT / "results/measurements/symmetry.csv", "results/measurements")
    git("init", "--quiet")
    git("add", "--all")
    git("commit", "--quiet", "-m", "published")
    said = [call(verb) for verb in ("judge", "rank", "plot")]
    assert [verb.exit_code for verb in said] == [0, 0, 0]
    expected = "read results, wrote my_results/quick"
    assert [verb.stderr.splitlines()[-1] for verb in said] == [expected] * 3
    part = ("--method", "pixels", "--dataset", "digits", "--seeds", "1", "--jobs", "0")
    ran = call("run", "--experiment", "leaderboard", *part)
    assert ran.exit_code == 0, ran.output
    assert ran.stderr.splitlines()[-1] == "wrote my_results/quick"
    assert git("status", "--porcelain") == ""
    again = call("judge")
    assert again.stderr.splitlines()[-1] == "read and wrote my_results/quick"


def test_what_must_be_trained_again_is_said_before_it_is(call: Call) -> None:
    words = (*SMALL, "--experiment", "leaderboard", "--method", "mae")
    assert call("measure", *words).exit_code == 0
    path = Path("my_results/smoke/measurements/leaderboard.csv")
    rows = path.read_text().splitlines()
    kept = [row for row in rows if ",uniformity," not in row]
    assert len(kept) < len(rows)
    path.write_text("\n".join(kept) + "\n")
    shutil.rmtree(".store")
    told = call("measure", *words).stderr
    line = "1 cells must be trained again for 1 new metrics (uniformity)"
    assert line in told
    assert set(path.read_text().splitlines()) > set(kept)
