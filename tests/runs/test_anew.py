from pathlib import Path

import pandas as pd
import pytest

from mae_bench.records.schema import UsageError
from mae_bench.records.store import Store
from mae_bench.runs.anew import draw, lay_out


def rows_of(n: int) -> pd.DataFrame:
    """Cells of two rows each, and one that is still to be run."""
    names = [f"{i:016x}" for i in range(n) for _ in (0, 1)]
    rows = pd.DataFrame({"cell": names, "status": "ok", "train_seconds": 1.0})
    rows = pd.concat([rows, pd.DataFrame([{"cell": "x", "status": "missing"}])])
    of = {"metric": "mcc", "metric_version": 1, "view": "unmasked", "seed": 0}
    of |= {"dataset": "digits", "method": "mae", "tier": "smoke", "rounding": 0}
    return rows.assign(precision="32-true", **of)


def test_a_forged_row_in_a_tenth_of_the_cells_is_drawn_in_88_of_100_samples() -> None:
    theirs = {"one": rows_of(300), "two": rows_of(100)}
    forged = {f"{i:016x}" for i in range(70, 100)}
    samples = [draw(theirs, 20, seed) for seed in range(150)]
    assert {sample.among for sample in samples} == {300}
    caught = sum(not forged.isdisjoint(sample.keys) for sample in samples)
    # 1 - 0.9^20 = 0.878, and three standard errors.
    assert 0.79 < caught / 150 < 0.96


def test_it_is_the_seeds_and_without_repetition() -> None:
    theirs = {"one": rows_of(30)}
    assert draw(theirs, 20, 3) == draw(theirs, 20, 3) != draw(theirs, 20, 4)
    assert len(set(draw(theirs, 40, 0).keys)) == 30


def test_what_is_too_dear_is_counted_and_not_drawn() -> None:
    rows = rows_of(4)
    rows.loc[rows["cell"].str.endswith("3"), "train_seconds"] = 9.0
    sample = draw({"one": rows}, 20, 0, cost=5.0)
    assert (len(sample.keys), sample.among, sample.dear) == (3, 3, 1)
    with pytest.raises(UsageError, match="no cell to draw"):
        draw({"one": rows}, 20, 0, cost=0.5)


def test_an_experiment_of_another_house_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="not_ours"):
        lay_out({"not_ours": rows_of(2)}, [f"{0:016x}"], [], Store(tmp_path))
