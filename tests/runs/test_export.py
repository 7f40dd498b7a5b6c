"""The rows that a file lacks: from the store, from other files, or the reason why."""

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from mae_bench.metrics.linear_r2 import linear_r2
from mae_bench.metrics.mcc import mcc
from mae_bench.records.schema import TIERS, Cell
from mae_bench.records.store import Store, Trained
from mae_bench.runs.export import Sources, export
from mae_bench.runs.known import Known
from mae_bench.runs.score import name_of

CELL = Cell("digits", "mae", "smoke", 1, {}, {}, {})
R2, MCC = ("linear_r2", "unmasked"), ("mcc", "unmasked")
ORIGIN = {"commit": "abc", "dirty": False, "versions": "torch=2", "device": "cpu x"}


def numbers(metric: Any, value: float = 0.5, **more: Any) -> list[dict[str, Any]]:
    head = {"metric": metric.id, "metric_version": metric.version, "view": "unmasked"}
    of = {"token": "mean", "target": "", "n_eval": 9, "status": "ok", "reason": ""}
    return [head | of | {"value": value} | more]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path)


def exported(store: Store, *wanted: tuple[str, str], **sources: Any) -> pd.DataFrame:
    cells = [(CELL, {"lamb": 0.1})]
    return export("e", cells, wanted or (R2, MCC), Sources(store, **sources))


def said(rows: pd.DataFrame) -> list[tuple[str, str, str]]:
    columns = rows[["metric", "status", "reason"]]
    return [tuple(row) for row in columns.to_numpy()]


def test_a_cell_that_was_never_run_has_one_row(store: Store) -> None:
    rows = exported(store)
    assert said(rows) == [("", "missing", "not run yet")]
    row = rows.iloc[0]
    assert (row["cell"], row["lamb"], row["precision"]) == (CELL.key, 0.1, "32-true")
    assert list(rows).index("lamb") == list(rows).index("precision") + 1


def test_numbers_of_the_store_have_where_it_was_trained(store: Store) -> None:
    store.save_trained(CELL.key, Trained("ok", "", 2.5, provenance=ORIGIN), b"w")
    store.add_scores(CELL.key, {name_of(CELL, *R2): numbers(linear_r2)})
    first, second = exported(store).to_dict("records")
    assert (first["value"], first["train_seconds"]) == (0.5, 2.5)
    assert {k: first[k] for k in ORIGIN} == ORIGIN
    assert (second["metric"], second["status"]) == ("mcc", "missing")
    assert second["metric_version"] == mcc.version


def test_a_training_that_failed_is_one_row_or_one_for_each_that_is_owed(
    store: Store,
) -> None:
    store.save_trained(CELL.key, Trained("diverged", "nan", provenance=ORIGIN))
    assert said(exported(store)) == [("", "diverged", "nan")]
    there = Known({"e": {CELL.key: {R2: numbers(linear_r2)}}})
    assert said(exported(store, known=there)) == [("mcc", "diverged", "nan")]


def test_what_the_file_has_is_not_given_again_but_where_it_was_measured_anew(
    store: Store,
) -> None:
    store.save_trained(CELL.key, Trained("ok", "", provenance=ORIGIN), b"w")
    of_store = {
        name_of(CELL, *R2): numbers(linear_r2, 0.25),
        name_of(CELL, *MCC): numbers(mcc, 0.25),
    }
    store.add_scores(CELL.key, of_store)
    pairs = {R2: numbers(linear_r2), MCC: numbers(mcc)}
    there = Known({"e": {CELL.key: pairs}})
    assert exported(store, known=there).empty
    anew = exported(store, known=there, anew={CELL.key: [MCC]})
    assert anew["metric"].tolist() == ["mcc"]
    assert anew["value"].tolist() == [0.25]


def test_numbers_of_another_experiment_are_copied_with_their_origin(
    store: Store,
) -> None:
    found = numbers(linear_r2, train_seconds=4.0, **ORIGIN)
    other = Known({"f": {CELL.key: {R2: found}}})
    (row,) = exported(store, R2, known=other).to_dict("records")
    assert (row["experiment"], row["value"], row["commit"]) == ("e", 0.5, "abc")
    assert row["train_seconds"] == 4.0


def test_why_something_is_lacking_is_said_if_it_is_known(store: Store) -> None:
    store.save_trained(CELL.key, Trained("ok", "", provenance=ORIGIN), b"w")
    why = {CELL.key: "error: no space"}
    assert said(exported(store, R2, lost=why)) == [
        ("linear_r2", "missing", "error: no space")
    ]
    assert said(exported(store, R2)) == [
        ("linear_r2", "missing", "linear_r2 not measured yet")
    ]


def test_scores_are_named_by_what_moves_them() -> None:
    tier = TIERS["smoke"]
    sizes = f"{tier.n_train}/{tier.n_val}/{tier.n_test}"
    assert name_of(CELL, *R2) == f"linear_r2 v{linear_r2.version} unmasked {sizes}"
