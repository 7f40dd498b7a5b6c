"""The committed verdicts and ranks follow from the committed rows, digit by digit."""

from pathlib import Path

import pandas as pd
import pytest

from mae_bench.records import registry
from mae_bench.records.read import read_measurements
from mae_bench.records.schema import TIERS
from mae_bench.verdicts import judge, rank

RESULTS = Path(__file__).parent.parent.parent / "results"


@pytest.fixture(scope="module")
def measured() -> dict[str, pd.DataFrame]:
    return read_measurements(RESULTS / "measurements")


def same(made: Path, name: str) -> bool:
    return (made / name).read_bytes() == (RESULTS / name).read_bytes()


def test_judging_gives_the_committed_verdicts(
    measured: dict[str, pd.DataFrame], tmp_path: Path
) -> None:
    theories = {n: registry.load("theories", n) for n in registry.names("theories")}
    judge.write(*judge.judge(theories, measured), tmp_path)
    assert same(tmp_path, "verdicts.csv")
    assert same(tmp_path, "theories.csv")


def test_ranking_gives_the_committed_leaderboard(
    measured: dict[str, pd.DataFrame], tmp_path: Path
) -> None:
    rank.write(rank.rank(measured), tmp_path)
    assert same(tmp_path, "leaderboard.csv")


@pytest.mark.parametrize("name", registry.names("experiments"))
def test_the_cells_that_were_measured_are_those_that_are_planned(
    measured: dict[str, pd.DataFrame], name: str
) -> None:
    tier = TIERS["quick"]
    planned = registry.load("experiments", name).cells(tier, tier.seeds)
    assert {cell.key for cell, _ in planned} == set(measured[name]["cell"])
