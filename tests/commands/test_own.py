"""Rows and encoders of one's own, from the command line and from a notebook."""

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pandas as pd
import pytest
import typer
from click.testing import Result
from torch import nn
from typer.testing import CliRunner

import mae_bench as mb
from mae_bench.commands.evaluate import evaluate
from mae_bench.commands.pipeline import judge
from mae_bench.records.schema import UsageError

Say = Callable[..., Result]
NOISE = (0.3, -0.2, 0.1, -0.3, 0.1)


@pytest.fixture
def say(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Say]:
    """``mae-bench judge`` and ``evaluate``, in a folder with rows of one's own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    rows().to_csv("my.csv", index=False)
    app = typer.Typer()
    app.command()(judge)
    app.command()(evaluate)
    yield lambda *words: CliRunner().invoke(app, list(words))
    sys.modules.pop("nets", None)


def rows() -> pd.DataFrame:
    return pd.DataFrame(
        [
            (seed, ratio, "my_r2", 1 - ratio + NOISE[seed] / 50 * ratio)
            for seed in range(5)
            for ratio in (0.25, 0.5, 0.75)
        ],
        columns=["seed", "mask_ratio", "metric", "value"],
    )


AS = ("--as", "linear_r2/level_0=my_r2")


def test_rows_are_judged_told_and_written(say: Say) -> None:
    ran = say("judge", "--rows", "my.csv", "--prediction", "N1", *AS, "--out", "out")
    assert ran.exit_code == 0, ran.output
    assert "N1              supported" in ran.stdout
    assert "1 judged (1 supported): N1; 0 not\n" in ran.stderr
    written = sorted(path.name for path in Path("out").iterdir())
    assert written == ["my_forecasts.csv", "my_verdicts.csv", "my_verdicts.html"]
    assert "Which theory predicts my.csv?" in Path("out/my_verdicts.html").read_text()
    assert not Path("results").exists()
    assert not Path("my_results").exists()


def test_what_can_be_judged_is_and_the_rest_is_listed(say: Say) -> None:
    ran = say("judge", "--rows", "my.csv", *AS, "--json")
    assert ran.exit_code == 0, ran.output
    found = json.loads(ran.stdout)
    judged = {row["prediction"]: row for row in found["verdicts"]}
    assert judged["visible_share/N1"]["verdict"] == "supported"
    missing = {row["prediction"]: row["missing"] for row in found["missing"]}
    assert missing["hierarchical_latents/K5"] == "metric knowable_share"
    assert len(found["forecasts"]) > 5
    assert Path("my_results/judged/my_verdicts.csv").exists()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--rows", "absent.csv"), "there is no absent.csv"),
        (("--rows", "my.csv"), "unknown metric 'my_r2'; did you mean"),
        (("--rows", "my.csv", *AS, "--prediction", "K55"), "did you mean K5"),
        (
            ("--rows", "my.csv", *AS, "--prediction", "K5"),
            "K5 cannot be judged; missing: metric",
        ),
        (("--rows", "my.csv", "--results", "x"), "--results the suite's; give one"),
        (("--rows", "my.csv", "--as", "mcc"), "expected METRIC=MINE"),
        (("--prediction", "K5"), "give --rows"),
    ],
)
def test_bad_usage_is_one_line_and_nothing_is_written(say: Say, words, message) -> None:
    ran = say("judge", *words)
    assert ran.exit_code == 2, ran.output
    (line,) = ran.stderr.splitlines()
    assert line.startswith("error: ")
    assert message in line
    assert sorted(path.name for path in Path().iterdir()) == ["my.csv"]


NETS = """
from torch import nn
class Some(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.width = width
    def forward(self, x):
        return x.flatten(1)[:, :self.width]
def make(mask_ratio, seed):
    return Some(int(64 * (1 - mask_ratio)))
"""
SWEEP = ("--sweep", "mask_ratio=0.25,0.5,0.75", "--tier", "smoke", "--seeds", "4")


def test_encoders_along_a_factor_are_judged(say: Say) -> None:
    Path("nets.py").write_text(NETS)
    words = ("nets.py:make", *SWEEP, "--prediction", "N1", "--output", "out")
    ran = say("evaluate", *words)
    assert ran.exit_code == 0, ran.output
    assert "visible_share" in ran.stdout
    assert "12 encoders, each shown gaussian_tree" in ran.stderr
    assert "12/12 mask_ratio 0.75, seed 3" in ran.stderr
    table = pd.read_csv("out/my_verdicts.csv").set_index("prediction")
    first = table.loc["visible_share/N1"]
    assert first["estimate"] > 0.02
    assert first["control_verdict"] != "none"
    # What was measured is judged alike as rows of one's own.
    again = mb.judge_my("out/my_rows.csv", predictions=["N1"]).verdicts
    assert again["estimate"].item() == pytest.approx(first["estimate"], abs=1e-5)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("absent.pt", *SWEEP), "is one encoder; a sweep needs one a level and seed"),
        (("e_{mask_ratio}_{seed}.pt", *SWEEP), "there is no e_0.25_0.pt, nor 11 more"),
        (("nets.py:make", *SWEEP, "--seeds", "3"), "3 seeds; a verdict needs 4"),
        (
            ("nets.py:make", *SWEEP, "--name", "x"),
            "--set, --name, --results and --track are of",
        ),
        (("nets.py:make", "--prediction", "N1"), "give --sweep"),
        (
            ("nets.py:make", *SWEEP, "--prediction", "K5"),
            "not to be read of an encoder",
        ),
    ],
)
def test_a_sweep_that_cannot_be_is_one_line(say: Say, words, message) -> None:
    Path("nets.py").write_text(NETS)
    ran = say("evaluate", *words)
    assert ran.exit_code == 2, ran.output
    (line,) = ran.stderr.splitlines()
    assert message in line
    assert not Path("my_results").exists()


def test_a_notebook_has_three_tables_and_nothing_is_written(say: Say) -> None:
    del say
    found = mb.judge_my(rows(), names={"linear_r2/level_0": "my_r2"}, predictions="N1")
    assert found.verdicts["verdict"].tolist() == ["supported"]
    assert found.missing.empty
    assert "skill" in found.forecasts
    fixed = mb.judge_my(
        "my.csv", names={"linear_r2/level_0": "my_r2"}, predictions=["N1"], fixed=True
    )
    assert fixed.verdicts["ci_low"].item() > found.verdicts["ci_low"].item()
    assert sorted(path.name for path in Path().iterdir()) == ["my.csv"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ({}, "give rows, or encoders with their sweep"),
        ({"rows": "my.csv", "sweep": {"mask_ratio": [0, 1]}}, "a sweep is of encoders"),
        (
            {"encoders": nn.Flatten, "sweep": {"mask_ratio": [0.5]}},
            "two or more levels",
        ),
        ({"encoders": nn.Flatten}, "two or more levels"),
    ],
)
def test_a_notebook_is_told_what_cannot_be(say: Say, words, message) -> None:
    del say
    with pytest.raises(UsageError, match=message):
        mb.judge_my(**words)
