"""Who does what is measured: shares, engines and failures on the command line."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from mae_bench.commands.engines import opened
from mae_bench.records.schema import UsageError
from mae_bench.runs.engines import HERE

Call = Callable[..., Result]
SMALL = ("--tier", "smoke", "--jobs", "0", "--seeds", "2", "--dataset", "gaussian_tree")
CELLS = (*SMALL, "--method", "pixels", "--method", "random_init")
BOARD = ("--experiment", "leaderboard", *CELLS)
TABLE = Path("measurements/leaderboard.csv")
NOTHING = ("measure", *BOARD, "--results", "r")


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (("--shard", "5/4"), "error: --shard 5/4: no such share; say 1/4 to 4/4"),
        (("--on", "mars"), "error: unknown engine 'mars'; local, ray, ray://HOST:PORT"),
        (("--on", "ray://"), "error: unknown engine 'ray://'"),
        (("--on", "ray://here"), "error: --on ray://here: say ray://HOST:PORT"),
        (("--on", "ray://127.0.0.1:1"), "error: no Ray at 127.0.0.1:1: "),
        (("--on", "slurm"), "error: no SLURM here: there is no sbatch and no srun"),
        (("--slurm", "time=9"), "error: --slurm KEY=VALUE goes with --on slurm"),
    ],
)
def test_what_cannot_be_is_one_line_and_nothing_is_begun(
    call: Call, tmp_path: Path, words: tuple[str, ...], line: str
) -> None:
    for extra in ("ray", "submitit"):
        pytest.importorskip(extra)
    begun = time.monotonic()
    ran = call(*NOTHING, *words)
    assert time.monotonic() - begun < 10
    assert ran.exit_code == 2
    (said,) = ran.stderr.splitlines()
    assert said.startswith(line)
    assert files(tmp_path) == []


@pytest.mark.parametrize("extra", ["ray", "slurm"])
def test_an_engine_that_is_not_installed_is_named_with_its_extra(
    call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, extra: str
) -> None:
    monkeypatch.setattr(f"mae_bench.runs.on_{extra}.find_spec", lambda _: None)
    ran = call(*NOTHING, "--on", extra)
    assert ran.exit_code == 2
    assert ran.stderr.endswith(f": pip install 'mae_bench[{extra}]'\n")
    assert files(tmp_path) == []


def test_cells_are_not_chosen_by_what_is_open_in_a_share(call: Call) -> None:
    ran = call("run", "--until", "decided", "--shard", "1/2", "--tier", "smoke")
    assert ran.exit_code == 2
    assert "leave out --shard" in ran.stderr


def test_a_run_stops_at_so_many_failures_with_everything_written(
    call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> object:
        raise LookupError("no features")

    monkeypatch.setattr("mae_bench.training.train.train", fails)
    ran = call("measure", *BOARD, "--results", "r", "--max-failures", "2")
    assert ran.exit_code == 1
    assert "stopped at 2 failures, as asked" in ran.stderr
    assert "2 cells failed:" in ran.stderr, "what was not begun has not failed"
    rows = Path("r", TABLE).read_text().splitlines()
    assert sum(",error," in row for row in rows) == 2
    assert sum(",missing," in row for row in rows) == 2
    monkeypatch.undo()


def test_rows_stay_where_weights_do_not(call: Call, tmp_path: Path) -> None:
    words = ("measure", *BOARD, "--seeds", "1", "--method", "mae", "--results", "r")
    ran = call(*words, "--keep-weights", "none", "--store", "s")
    assert ran.exit_code == 0, ran.output
    assert len(Path("r", TABLE).read_text().splitlines()) > 100
    assert {path.suffix for path in files(tmp_path / "s")} == {".log"}
    assert len(files(tmp_path / "s" / "logs")) == 3
    assert not [path for path in (tmp_path / "s").iterdir() if path.name != "logs"]


def test_the_local_engine_is_the_pool(tmp_path: Path) -> None:
    with opened("local", [], tmp_path) as engine:
        assert engine is HERE
        assert not engine.away
    for word in ("", "ray:/x", "slurm://x", "local://x", "Ray"):
        with pytest.raises(UsageError, match="unknown engine"):
            opened(word, [], tmp_path)
