import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch
import typer
from click.testing import Result
from typer.testing import CliRunner

from mae_bench.commands.evaluate import evaluate
from mae_bench.datasets.digits import Digits
from mae_bench.encoders.checkpoint import save_mae
from mae_bench.methods.mae import MAE

Say = Callable[..., Result]
SMALL = ("--dataset", "digits", "--tier", "smoke", "--seeds", "1")


@pytest.fixture
def say(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Say]:
    """``mae-bench evaluate``, in an empty folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    app = typer.Typer()
    app.command()(evaluate)
    yield lambda *words: CliRunner().invoke(app, list(words))
    sys.modules.pop("theirs", None)


def checkpoint() -> str:
    generator = torch.Generator().manual_seed(0)
    method = MAE(Digits(generator), generator, patch_size=4)
    torch.save({"model": save_mae(method)}, "theirs.pth")
    return "theirs.pth"


def test_a_checkpoint_is_measured_and_placed(say: Say) -> None:
    ran = say(checkpoint(), *SMALL, "--num-heads", "4", "--output", "out")
    assert ran.exit_code == 0, ran.output
    (_, row, *_) = ran.stdout.splitlines()
    assert row.split()[:2] == ["digits", "theirs"]
    assert "no controls (random_init, pixels) beside" in ran.stderr
    written = sorted(str(p) for p in Path("out").rglob("*.csv"))
    assert written == ["out/leaderboard.csv", "out/measurements/theirs.csv"]


def test_a_module_is_named_and_failures_have_the_exit_code_1(say: Say) -> None:
    text = "import torch\ndef net(): return torch.nn.Flatten()\n"
    text += "class nan(torch.nn.Module):\n"
    text += "    def forward(self, x): return x.flatten(1) * float('nan')\n"
    Path("theirs.py").write_text(text)
    ran = say("theirs:net", *SMALL, "--name", "flat", "--json")
    assert ran.exit_code == 0, ran.output
    assert json.loads(ran.stdout) == {"results": "my_results/evaluated", "failed": {}}
    assert Path("my_results/evaluated/measurements/flat.csv").exists()
    ran = say("theirs:nan", *SMALL)
    assert ran.exit_code == 1
    assert "features hold NaN or infinity" in ran.stderr
    assert "Traceback" not in ran.output


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("absent.pth",), "there is no absent.pth"),
        (("theirs.pth",), "num_heads 0 of width 32 cannot be"),
        (("theirs.pth", "--num-heads", "4", "--name", "mae"), "'mae' is one of ours"),
        (("theirs.pth", "--dataset", "digit"), "did you mean digits"),
        (("theirs.pth", "--set", "path=x"), "expected NAME=VALUE"),
        (("theirs.pth", "--device", "tpu"), "no device 'tpu' here"),
    ],
)
def test_bad_usage_is_one_line_and_nothing_is_written(
    say: Say, words: tuple[str, ...], message: str
) -> None:
    checkpoint()
    ran = say(*SMALL, *words)
    assert ran.exit_code == 2, ran.output
    (line,) = ran.stderr.splitlines()
    assert line.startswith("error: ")
    assert message in line
    assert not Path("my_results/evaluated").exists()
