"""The committed verdicts and ranks follow from the committed rows, digit by digit."""

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from mae_bench.records import registry
from mae_bench.records.read import read_measurements
from mae_bench.records.schema import TIERS
from mae_bench.runs.plan import rounded
from mae_bench.verdicts import judge, rank, registration

RESULTS = Path(__file__).parent.parent.parent / "results"


@pytest.fixture(scope="module")
def measured() -> dict[str, pd.DataFrame]:
    return read_measurements(RESULTS / "measurements")


def reproduced(made: Path, name: str) -> bool:
    """Whether all that is committed is made; parts that came since may add to it."""
    new, old = (pd.read_csv(f / name, dtype=str) for f in (made, RESULTS))
    rows = [tuple(row) for row in new[old.columns].fillna("").to_numpy()]
    expected = [tuple(row) for row in old.fillna("").to_numpy()]
    known = set(expected)
    return [row for row in rows if row in known] == expected


def test_judging_gives_the_committed_verdicts(
    measured: dict[str, pd.DataFrame], tmp_path: Path
) -> None:
    theories = {n: registry.load("theories", n) for n in registry.names("theories")}
    rules = registration.registered(RESULTS / "registered.csv")
    first_seeds = {key: rule.first_seed for key, rule in rules.items()}
    judge.write(judge.judge(theories, measured, first_seeds), tmp_path)
    assert reproduced(tmp_path, "verdicts.csv")
    assert reproduced(tmp_path, "theories.csv")
    assert reproduced(tmp_path, "forecasts.csv")


def test_ranking_gives_the_committed_leaderboard(
    measured: dict[str, pd.DataFrame], tmp_path: Path
) -> None:
    rank.write(rank.rank(measured), tmp_path)
    assert reproduced(tmp_path, "leaderboard.csv")


# Points that have been given a longer training since; their rows are of the shorter.
LONGER = {"mask_ratio": 0.9, "recoverability": 0.9}


@pytest.mark.parametrize("name", registry.names("experiments"))
def test_the_cells_that_were_measured_are_still_planned(
    measured: dict[str, pd.DataFrame], name: str
) -> None:
    tier = TIERS["quick"]
    if name not in measured:
        pytest.skip("not measured yet")
    experiment, rows = registry.load("experiments", name), measured[name]
    seeds = range(int(rows["seed"].max()) + 1)
    planned, shorter = (
        {cell.key for cell, _ in rounded(e.cells(tier, seeds), 2)}
        for e in (experiment, replace(experiment, longer={}))
    )
    if name in LONGER:
        moved = rows["mask_ratio"] == LONGER[name]
        assert set(rows[moved]["cell"]) <= shorter - planned
        rows = rows[~moved]
    assert planned >= set(rows["cell"])
