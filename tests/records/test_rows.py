"""Matching and averaging of tidy rows, and writing of tables."""

import math

import numpy as np
import pandas as pd
import pytest

from mae_bench.records.rows import (
    matching,
    over_roundings,
    processors,
    seed_means,
    seed_table,
    write_table,
)


def grid(levels, seeds, value=lambda seed, level: seed + level):
    points = [(s, x, value(s, x)) for s in range(seeds) for x in levels]
    return pd.DataFrame(points, columns=["seed", "x", "value"])


def test_matching_takes_values_tuples_and_emptiness():
    rows = pd.DataFrame({"x": [1.0, 2.0, math.nan], "name": ["a", "b", ""]})
    assert matching(rows, {"x": 2}).index.tolist() == [1]
    assert matching(rows, {"x": (1, 2)}).index.tolist() == [0, 1]
    assert matching(rows, {"x": None, "name": None}).index.tolist() == [2]
    assert matching(rows, {"x": (1, None)}).index.tolist() == [0, 2]
    assert len(matching(rows, {})) == 3
    with pytest.raises(ValueError, match=r"no column 'y'.*x, name"):
        matching(rows, {"y": 1})


def test_matching_keeps_a_failure_that_does_not_know_its_token():
    rows = pd.DataFrame(
        [("cls", "ok"), ("", "ok"), ("", "diverged"), ("cls", "collapsed")],
        columns=["token", "status"],
    )
    assert matching(rows, {"token": "mean"}).index.tolist() == [2]
    assert matching(rows, {"token": "cls"}).index.tolist() == [0, 2, 3]


def test_matching_keeps_a_failure_that_does_not_know_its_metric():
    rows = pd.DataFrame(
        [("mcc", "ok"), ("", "timeout"), ("floor", "ok")], columns=["metric", "status"]
    )
    assert matching(rows, {"metric": ("mcc",)}).index.tolist() == [0, 1]


def test_seed_means_never_average_over_less_than_another_seed_has():
    rows = pd.concat([grid([1, 2], 3), grid([1, 2], 3)])
    assert seed_means(rows, "x").tolist() == [1, 2, 2, 3, 3, 4]
    assert seed_means(rows).tolist() == [1.5, 2.5, 3.5]
    holed = rows.reset_index(drop=True)
    holed.loc[0, "value"] = math.nan
    assert seed_means(holed).isna().tolist() == [True, False, False]
    assert seed_means(rows.iloc[1:]).isna().tolist() == [True, False, False]


@pytest.mark.parametrize("factors", [(), ("x",), ("name",), ("x", "name")])
def test_seed_means_are_those_of_groups_by_pandas(factors):
    rng = np.random.default_rng(len(factors))
    rows = pd.DataFrame(
        {
            "seed": rng.integers(0, 4, 80),
            "x": rng.choice([0.1, 0.5, math.nan], 80),
            "name": rng.choice(np.array(["b", "a", ""], object), 80),
            "value": np.where(rng.random(80) < 0.05, math.nan, rng.normal(size=80)),
        }
    )
    groups = rows.groupby(["seed", *factors], dropna=False)["value"]
    size, due = groups.size(), groups.size().max()
    if factors:
        due = size.groupby(level=list(factors), dropna=False).transform("max")
    expected = groups.mean().where(groups.count() == due)
    found = seed_means(rows, *factors)
    assert expected.notna().any() or not factors
    assert found.index.names == expected.index.names
    assert found.reset_index().iloc[:, :-1].equals(expected.reset_index().iloc[:, :-1])
    assert found.to_numpy() == pytest.approx(expected.to_numpy(), nan_ok=True)


def test_matching_finds_the_same_rows_however_text_is_kept():
    rows = pd.DataFrame(
        {
            "token": ["cls", "", None, "mean", ""],
            "status": ["ok", "diverged", "ok", "ok", "ok"],
        }
    )
    coded = rows.astype("category")
    for wanted in ("cls", "mean", "nowhere", ("cls", None), None, 0.5):
        there = matching(rows, {"token": wanted}).index
        assert matching(coded, {"token": wanted}).index.equals(there)
    assert matching(coded, {"token": ("cls", None)}).index.tolist() == [0, 1, 2, 4]


def test_seed_table_has_the_complete_seeds_and_sorted_levels():
    rows = grid([0.9, 0.1, 0.5], 3)
    rows.loc[(rows.seed == 1) & (rows.x == 0.5), "value"] = math.nan
    table = seed_table(rows, "x")
    assert table.columns.tolist() == [0.1, 0.5, 0.9]
    assert table.index.tolist() == [0, 2]
    assert table.loc[2].tolist() == [2.1, 2.5, 2.9]


def test_seed_table_keeps_the_levels_order_that_is_asked_for():
    rows = grid([1, 2, 3], 2)
    assert seed_table(rows, "x", (3, 1)).columns.tolist() == [3, 1]
    assert seed_table(rows, "x", (3, 4)).empty
    with pytest.raises(ValueError, match="no factor 'y'"):
        seed_table(rows, "y")


def test_a_level_that_failed_in_every_seed_does_not_vanish():
    rows = grid([1, 2, 3], 2)
    rows.loc[rows.x == 3, "value"] = math.nan
    assert seed_table(rows, "x").empty
    assert seed_table(rows, "x").columns.tolist() == [1, 2, 3]


def test_tables_are_written_with_six_digits_and_empty_nan(tmp_path):
    frame = pd.DataFrame({"a": [1 / 3, math.nan], "b": [2_000_000, 5], "c": ["x", ""]})
    write_table(frame, tmp_path / "new" / "table.csv")
    written = (tmp_path / "new" / "table.csv").read_bytes()
    assert written == b"a,b,c\n0.333333,2000000,x\n,5,\n"
    assert [p.name for p in (tmp_path / "new").iterdir()] == ["table.csv"]


def test_the_processors_of_all_rows_are_told_as_far_as_they_say():
    columns = ["device", "versions"]
    one = pd.DataFrame(
        [("cuda NVIDIA A100", "x=1"), ("cpu x86_64", "")], columns=columns
    )
    two = pd.DataFrame([("cuda NVIDIA H200", ""), ("", "")], columns=columns)
    assert processors({"a": one, "b": two}) == ["NVIDIA A100", "NVIDIA H200"]
    assert processors({}) == []


def test_a_failure_that_lacks_a_factor_is_not_of_every_level():
    rows = pd.DataFrame({"family": ["grid", ""], "status": ["ok", "timeout"]})
    assert matching(rows, {"family": "grid"}).index.tolist() == [0]


def test_levels_may_have_unlike_numbers_of_rows():
    rows = pd.concat([grid([1, 2], 2), grid([2], 2)], ignore_index=True)
    assert seed_means(rows, "x").tolist() == [1, 2, 2, 3]
    assert seed_means(rows.drop(5), "x").isna().tolist() == [False, False, False, True]


@pytest.mark.parametrize("empty", ["", None, math.nan])
def test_where_its_factor_is_empty_a_row_is_of_no_level(empty):
    rows = grid(["a", "b"], 2, lambda seed, _: float(seed))
    table = seed_table(pd.concat([rows, rows.assign(x=empty)]), "x")
    assert table.columns.tolist() == ["a", "b"]
    assert table.index.tolist() == [0, 1]


def test_of_roundings_one_row_stands_with_their_mean_or_with_what_failed():
    rows = pd.DataFrame(
        [
            (0, 1, 3.0, "ok", "", "c1"),
            (0, 0, 1.0, "ok", "", "c0"),
            (1, 0, 5.0, "ok", "", "d0"),
            (1, 1, math.nan, "diverged", "nan", "d1"),
            (2, 0, 7.0, "ok", "", "e0"),
        ],
        columns=["seed", "rounding", "value", "status", "reason", "cell"],
    )
    found = over_roundings(rows).set_index("seed").sort_index()
    assert found["value"].tolist() == pytest.approx([2.0, math.nan, 7.0], nan_ok=True)
    assert found["status"].tolist() == ["ok", "diverged", "ok"]
    assert found["cell"].tolist() == ["c0", "d1", "e0"]
    assert list(found) == [*rows.columns[1:]]
    exact = rows[rows["rounding"] == 0].assign(status=["ok", "ok", "diverged"])
    for alone in (exact, exact.drop(columns="rounding")):
        pd.testing.assert_frame_equal(over_roundings(alone), alone)


def test_rows_that_differ_in_more_than_their_rounding_stay_apart():
    rows = pd.DataFrame(
        {"x": [1, 2, None, 1], "rounding": [0, 0, 0, 1], "value": [1.0, 2.0, 3.0, 5.0]}
    ).assign(seed=0, status="ok")
    found = over_roundings(rows).set_index("x")["value"]
    assert found.sort_index().tolist() == [3.0, 2.0, 3.0]
