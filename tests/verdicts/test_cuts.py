"""What is cut once is what a cut of its own would be."""

import pandas as pd

from mae_bench.records.rows import matching
from mae_bench.records.words import shared
from mae_bench.verdicts.cuts import Cuts


def rows(value: float = 1.0) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "seed": [0, 0, 1, 1],
            "method": "mae",
            "lamb": [0.1, float("nan"), 0.1, 0.1],
            "metric": ["mcc", "convergence", "mcc", ""],
            "view": "unmasked",
            "token": "",
            "target": ["level_0", "converged", "level_0", ""],
            "status": ["ok", "ok", "ok", "error"],
            "cell": ["a", "a", "b", "c"],
            "value": [0.5, value, 0.6, float("nan")],
        }
    )


def test_rows_of_metrics_are_cut_once_with_what_failed_as_a_whole() -> None:
    cuts = Cuts({"e": rows()})
    found = cuts.rows("e", ("mcc",))
    expected = shared(matching(rows(), {"metric": "mcc"}))
    pd.testing.assert_frame_equal(found, expected)
    assert found["cell"].tolist() == ["a", "b", "c"]
    assert cuts.rows("e", ("mcc",)) is found
    some = cuts.rows("e", ("mcc",), {"seed": 0})
    pd.testing.assert_frame_equal(some, matching(expected, {"seed": 0}))
    cuts.forget()
    assert cuts.rows("e", ("mcc",)) is not found
    assert Cuts.of(cuts) is cuts


def test_points_are_those_that_have_rows_and_empty_is_none() -> None:
    cuts = Cuts({"e": rows()})
    found = cuts.points("e", ("mcc",), ("lamb", "target"))
    assert found == {(0, 0.1, "level_0"), (1, 0.1, "level_0"), (1, 0.1, None)}
    assert cuts.points("e", ("convergence",), ("lamb",)) >= {(0, None)}


def test_another_table_in_the_place_of_one_is_cut_anew_but_not_for_convergence() -> (
    None
):
    cuts = Cuts({"e": rows(), "other": rows(0.0)})
    cut = cuts.but("e", rows()[:1])
    assert cut.rows("e", ("mcc",))["cell"].tolist() == ["a"]
    assert cuts.rows("e", ("mcc",))["cell"].tolist() == ["a", "b", "c"]
    assert list(cut) == ["e", "other"]
    # A cell that is in two experiments is said twice.
    assert cut.converged.to_dict("list") == {"cell": ["a", "a"], "value": [1.0, 0.0]}
