"""Shares, joined, are the run that was not shared, byte for byte."""

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

SMALL = ("--tier", "smoke", "--jobs", "0", "--seeds", "1", "--dataset", "gaussian_tree")
GRID = ("--experiment", "leaderboard", "--experiment", "mask_ratio", *SMALL)
CELLS = (*GRID, "--method", "pixels", "--method", "random_init")


def files(folder: str) -> dict[str, bytes]:
    """All that is written, without figures, which say when they were drawn."""
    found = sorted(Path(folder).rglob("*.csv"))
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in found}


def test_shares_and_merge_are_one_run(
    call: Callable[..., Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mae_bench.commands.verbs.plot", lambda *_: [])
    for number in (1, 2):
        shard = ("--shard", f"{number}/2", "--results", f"part{number}")
        ran = call("run", *CELLS, "--store", f"s{number}", *shard)
        assert ran.exit_code == 0, ran.output
        assert "a share is not judged" in ran.stderr
        assert not Path(f"part{number}", "verdicts.csv").exists()
    parts = [f"part{number}" for number in (2, 1)]
    ran = call("merge", *parts, "--results", "merged")
    assert ran.exit_code == 0, ran.output
    assert "from 2 folders" in ran.stderr
    assert call("run", *CELLS, "--results", "whole", "--store", "s").exit_code == 0
    whole, merged = files("whole"), files("merged")
    assert {"verdicts.csv", "theories.csv"} < whole.keys()
    assert merged == whole


def test_what_cannot_be_merged_is_one_line_and_writes_nothing(
    call: Callable[..., Result],
) -> None:
    ran = call("merge", "a", "b", "--results", "out")
    assert ran.exit_code == 2
    (line,) = ran.stderr.splitlines()
    assert line.startswith("error: no a/measurements")
    assert not Path("out").exists()
