"""Precision, loggers, callbacks and strategy on the command line."""

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from click.testing import Result

Call = Callable[..., Result]
SMALL = ("--tier", "smoke", "--jobs", "0", "--seeds", "1", "--dataset", "gaussian_tree")
CELL = ("measure", "--experiment", "input_noise", "--method", "mae", *SMALL)


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (("--logger", "cvs"), "error: --logger cvs: did you mean csv?"),
        (("--callback", "nowhere:It"), "error: --callback nowhere:It cannot be had: "),
        (("--strategy", "fsdp"), "error: --strategy fsdp: one of auto, ddp"),
        (("--strategy", "ddp"), "error: --strategy ddp is of cells over several proc"),
    ],
)
def test_what_cannot_be_is_one_line_and_nothing_is_begun(
    call: Call, tmp_path: Path, words: tuple[str, ...], line: str
) -> None:
    ran = call(*CELL, "--results", "r", *words)
    assert ran.exit_code == 2
    (said,) = ran.stderr.splitlines()
    assert said.startswith(line)
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_a_precision_that_there_is_not_is_refused(call: Call) -> None:
    ran = call(*CELL, "--precision", "64-true")
    assert ran.exit_code == 2
    assert "32-true" in ran.stderr


def table(folder: Path) -> pd.DataFrame:
    return pd.read_csv(folder / "measurements" / "input_noise.csv")


def test_a_run_is_looked_at_and_computed_as_is_asked(
    call: Call, tmp_path: Path
) -> None:
    looked = call(*CELL, "--results", "a", "--logger", "csv", "--callback", "Timer")
    assert looked.exit_code == 0, looked.stderr
    assert call(*CELL, "--results", "b", "--precision", "bf16-mixed").exit_code == 0
    full, mixed = table(tmp_path / "a"), table(tmp_path / "b")
    (cell,) = set(full["cell"])
    (told,) = tmp_path.glob(f"lightning_logs/*/{cell}/metrics.csv")
    assert len(pd.read_csv(told)) == 12
    assert set(full["precision"]) == {"32-true"}
    assert set(mixed["precision"]) == {"bf16-mixed"}
    assert not {*full["cell"]} & {*mixed["cell"]}
    assert set(mixed["status"]) <= {"ok", "skipped"}
    assert list(full["value"]) != list(mixed["value"])
    again = call(*CELL, "--results", "a", "--precision", "bf16-mixed")
    assert again.exit_code == 2
    assert "precision" in again.stderr
