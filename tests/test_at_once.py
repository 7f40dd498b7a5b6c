"""Two runs on one store and one folder: the rows of one after the other."""

from pathlib import Path

import pandas as pd
from typer.testing import CliRunner

from mae_bench.cli import app
from tests.processes import start

UNEVEN = ["train_seconds", "commit", "dirty"]
# Both need mae on gaussian_tree without noise, and its other numbers.
GRIDS = (
    ("leaderboard", "--method", "mae", "--method", "pixels"),
    ("input_noise", "--method", "mae"),
)


def command(folder: Path, grid: tuple[str, ...]) -> list[str]:
    call = ["measure", "--tier", "smoke", "--seeds", "1", "--jobs", "0"]
    places = ["--store", str(folder / "store"), "--results", str(folder / "results")]
    return [*call, "--dataset", "gaussian_tree", *places, "--experiment", *grid]


def tables(folder: Path) -> dict[str, pd.DataFrame]:
    found = (folder / "results" / "measurements").glob("*.csv")
    return {p.name: pd.read_csv(p, dtype=str).drop(columns=UNEVEN) for p in found}


def test_two_runs_at_once_give_the_rows_of_one_after_the_other(tmp_path: Path) -> None:
    calls = [command(tmp_path / "both", grid) for grid in (*GRIDS, GRIDS[0])]
    both = [start(call, tmp_path / f"told {i}") for i, call in enumerate(calls)]
    for process in both:
        process.join(300)
    told = [path.read_text() for path in tmp_path.glob("told */err")]
    assert [process.exitcode for process in both] == [0, 0, 0], told
    for grid in GRIDS:
        alone = CliRunner().invoke(app, command(tmp_path / "alone", grid))
        assert alone.exit_code == 0
    wanted, found = tables(tmp_path / "alone"), tables(tmp_path / "both")
    assert wanted.keys() == found.keys() == {"leaderboard.csv", "input_noise.csv"}
    for name, rows in wanted.items():
        pd.testing.assert_frame_equal(found[name], rows)
    assert not list((tmp_path / "both").rglob("quarantine"))
