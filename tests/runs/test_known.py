"""What rows say of cells, by the metrics' current versions."""

import pandas as pd

from mae_bench.records.rows import COLUMNS
from mae_bench.runs.known import WHOLE, finished, known

PAIR = ("mcc", "unmasked")


def rows(*changes: dict[str, object]) -> pd.DataFrame:
    row = (
        dict.fromkeys(COLUMNS, "")
        | {"rounding": 0}
        | {
            "cell": "a",
            "metric": "mcc",
            "metric_version": 2.0,
            "view": "unmasked",
            "status": "ok",
            "value": 0.5,
            "n_eval": 7.0,
            "dirty": 1.0,
        }
    )
    return pd.DataFrame([row | change for change in changes])


def test_rows_are_by_cell_metric_and_view_as_a_store_has_them() -> None:
    table = rows({"token": "cls"}, {"token": "mean"}, {"view": "masked"}, {"cell": "b"})
    found = known({"e": table}, {"a"}, {"mcc": 2})
    assert found.measured("a") == {PAIR, ("mcc", "masked")}
    assert found.of("b") == {}
    one, two = found.of("a")[PAIR]
    assert (one["token"], two["token"]) == ("cls", "mean")
    assert (one["metric_version"], one["n_eval"], one["dirty"]) == (2, 7, True)
    assert "cell" not in one


def test_rows_of_another_version_or_that_say_missing_say_nothing() -> None:
    table = rows({"metric_version": 1.0}, {"status": "missing", "value": None})
    assert known({"e": table}, {"a"}, {"mcc": 2}).of("a") == {}
    assert known({"e": rows({})}, {"a"}, {}).of("a") == {}


def test_a_cell_that_failed_as_a_whole_has_no_metric() -> None:
    lost = {"metric": "", "view": "", "metric_version": 0.0, "status": "diverged"}
    found = known({"e": rows(lost)}, {"a"}, {"mcc": 2})
    assert found.failed("a")
    assert found.of("a").keys() == {WHOLE}
    assert found.measured("a") == set()
    both = known({"e": rows(lost), "f": rows({})}, {"a"}, {"mcc": 2})
    assert not both.failed("a")
    assert both.measured("a") == {PAIR}


def test_what_failed_is_measured_and_lost() -> None:
    table = rows({"token": "cls"}, {"token": "mean", "status": "error"})
    found = known({"e": table}, {"a"}, {"mcc": 2})
    assert found.lost("a") == {PAIR}
    fine = known({"e": rows({"status": "collapsed"})}, {"a"}, {"mcc": 2})
    assert fine.lost("a") == set()


def test_an_experiment_is_asked_alone_or_with_all() -> None:
    tables = {"e": rows({}), "f": rows({"metric": "cka"})}
    found = known(tables, {"a"}, {"mcc": 2, "cka": 2})
    assert found.of("a", "e").keys() == {PAIR}
    assert found.of("a", "g") == {}
    assert found.of("a").keys() == {PAIR, ("cka", "unmasked")}


def test_a_cell_is_finished_once_nothing_of_it_is_owed() -> None:
    pairs = {PAIR, ("mcc", "masked")}
    both = rows({}, {"view": "masked", "status": "skipped"}, {"token": "cls"})
    assert finished(both, pairs, {"mcc": 2}) == {"a"}
    assert finished(rows({}), pairs, {"mcc": 2}) == set()
    assert finished(both, pairs, {"mcc": 3}) == set()
    assert finished(rows({}, {"view": "masked", "status": "missing"}), pairs, {}) == (
        set()
    )
    failed = rows({"metric": "", "view": "", "status": "diverged"})
    assert finished(failed, pairs, {"mcc": 2}) == {"a"}


def test_what_failed_and_might_end_better_is_owed() -> None:
    late = rows({"metric": "", "view": "", "status": "timeout"})
    assert finished(late, {PAIR}, {"mcc": 2}) == set()
    killed = {"status": "error", "reason": "its process was killed by signal 9"}
    assert finished(rows({}, {"token": "cls"} | killed), {PAIR}, {"mcc": 2}) == set()
    # Of another metric, which nobody asks for.
    other = rows({}, {"view": "masked"} | killed)
    assert finished(other, {PAIR}, {"mcc": 2}) == {"a"}
