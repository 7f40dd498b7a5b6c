"""What is selected for a claim: its metrics, its rows, their order, their failures."""

import math
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from mae_bench.verdicts.evidence import (
    applicable,
    coverage,
    failures,
    in_order,
    select,
)

EXPERIMENT = SimpleNamespace(id="which", factors={"depth": (1, 2)})
MCC, FLOOR = SimpleNamespace(id="mcc"), SimpleNamespace(id="floor")


def measured():
    rows = [
        (depth, seed, metric, float(seed), "ok", f"{depth}/{seed}", "none", 1.0)
        for depth in (1, 2)
        for seed in (0, 1)
        for metric in ("mcc", "floor")
    ]
    columns = ["depth", "seed", "metric", "value", "status", "cell", "tier"]
    return pd.DataFrame(rows, columns=[*columns, "train_seconds"])


def chosen(rows, *metrics, **where):
    return select({"which": in_order(rows)}, EXPERIMENT, metrics or (MCC,), where)


def test_the_claims_metrics_are_selected_and_no_others():
    assert set(chosen(measured())["metric"]) == {"mcc"}
    assert len(chosen(measured(), MCC, FLOOR)) == 8
    assert chosen(measured(), depth=2, seed=(0, 5))["cell"].tolist() == ["2/0"]
    assert select({}, EXPERIMENT, (MCC,), {}).empty


def test_the_order_of_the_file_and_how_rows_came_to_be_do_not_matter():
    mixed = measured().sample(frac=1, random_state=0, ignore_index=True)
    mixed["train_seconds"] = np.arange(8.0)
    found = (chosen(rows) for rows in (mixed, measured()))
    pd.testing.assert_frame_equal(*found)


def test_a_cell_that_failed_as_a_whole_is_among_every_metrics_rows():
    rows = measured()
    rows.loc[0, ["metric", "value", "status"]] = ["", 7.0, "timeout"]
    for metric in (MCC, FLOOR):
        found = chosen(rows, metric)
        assert found["value"].isna().sum() == 1
    assert coverage(found) == 3 / 4


def test_coverage_is_the_share_of_whole_cells():
    rows = chosen(measured(), MCC, FLOOR)
    assert coverage(rows) == 1.0
    assert coverage(rows.iloc[:0]) == 0.0
    rows.loc[0, "value"] = math.nan
    assert coverage(rows) == 3 / 4


def test_skipped_rows_do_not_apply():
    rows = measured().assign(status=["ok", "skipped", "diverged", *["ok"] * 5])
    assert len(applicable(rows)) == 7


def test_mixed_tiers_and_unknown_columns_are_refused():
    mixed = pd.concat([measured(), measured().assign(tier="smoke")])
    with pytest.raises(ValueError, match="which mixes tiers none, smoke"):
        chosen(mixed)
    with pytest.raises(ValueError, match="no column 'layer'"):
        chosen(measured(), layer=1)


def test_a_declared_point_without_a_row_is_missing():
    from mae_bench.experiments.mask_ratio import MASK_RATIO

    rows = pd.DataFrame(
        [
            {
                "dataset": "gaussian_tree",
                "method": "mae",
                "tier": "quick",
                "mask_ratio": ratio,
                "seed": seed,
                "metric": "linear_r2",
                "view": "unmasked",
                "token": "mean",
                "target": "level_0",
                "value": ratio + seed,
                "status": "ok",
                "cell": f"{ratio}/{seed}",
                "metric_version": 2,
                "n_eval": 100,
                "rounding": 0,
                "reason": "",
            }
            for ratio in (0.125, 0.25, 0.5, 0.75, 0.9375)
            for seed in range(3)
        ]
    )
    metric = SimpleNamespace(id="linear_r2")

    def found(rows, **where):
        where |= {"dataset": "gaussian_tree"}
        return select({"mask_ratio": rows}, MASK_RATIO, (metric,), where)

    assert (found(rows)["status"] == "ok").all()
    holed = found(rows[rows["mask_ratio"] != 0.9375])
    missing = holed[holed["status"] == "missing"]
    assert missing["mask_ratio"].tolist() == [0.9375] * 3
    assert missing["seed"].tolist() == [0, 1, 2]
    # It is a failure that does not know of what, and no number of any image.
    assert set(missing["tier"]) == {"quick"}
    unknown = missing[["metric", "view", "token", "target"]]
    assert set(unknown.to_numpy().ravel()) == {""}
    assert (missing[["metric_version", "n_eval", "rounding"]] == 0).all(axis=None)
    assert missing["cell"].nunique() == 3
    assert missing["value"].isna().all()
    assert coverage(holed) == 12 / 15
    # What a claim does not ask for is not missed; a target that is not there is none.
    assert (found(rows, mask_ratio=(0.125, 0.25))["status"] == "ok").all()
    asked = found(rows[rows["mask_ratio"] != 0.25], mask_ratio=(0.125, 0.25))
    assert list(asked["status"]) == ["ok"] * 3 + ["missing"] * 3
    assert found(rows, target="level_9").empty


def test_of_seeds_that_coincide_one_is_kept():
    rows = measured()
    rows["value"] = np.arange(8.0)
    assert in_order(rows)["seed"].nunique() == 2
    twins = pd.concat([rows, rows[rows.seed == 0].assign(seed=7, cell="other")])
    assert sorted(in_order(twins)["seed"].unique()) == [0, 1]
    few = pd.concat([rows.iloc[:1], rows.iloc[:1].assign(seed=7)])
    assert in_order(few)["seed"].nunique() == 2


def test_a_factor_that_a_world_lacks_is_as_empty_in_a_missing_row_as_in_others():
    from mae_bench.experiments.linear_theory import LINEAR_THEORY
    from mae_bench.records.schema import TIERS

    metric = SimpleNamespace(id="closed_form_gap")
    rows = pd.DataFrame(
        [
            {"dataset": cell.dataset, "method": cell.method, "tier": "quick"}
            | {name: "" if value is None else value for name, value in at.items()}
            | {"seed": cell.seed, "metric": metric.id, "target": "loss"}
            | {"value": 0.5, "status": "ok", "cell": cell.key}
            for cell, at in LINEAR_THEORY.cells(TIERS["quick"], range(2))
        ]
    )
    gone = (rows["seed"] == 1) & (rows["dataset"] == "gaussian_tree")
    found = select({"linear_theory": rows[~gone]}, LINEAR_THEORY, (metric,), {})
    axes = ["dataset", "method", *LINEAR_THEORY.factors]
    points = found.groupby(axes, dropna=False)["seed"].nunique()
    # Each declared point is one, whether or not a seed lacks it.
    assert len(points) == len(rows) / 2
    assert (points == 2).all()
    assert (found["status"] == "missing").sum() == gone.sum()


@pytest.mark.parametrize(
    ("column", "message"),
    [
        ("precision", "mixes precisions 16, 32;"),
        ("metric_version", "versions 1, 2 of "),
    ],
)
def test_mixed_precisions_and_versions_of_a_metric_are_refused(column, message):
    one, two = (16, 32) if column == "precision" else (1, 2)
    rows = measured().assign(**{column: one})
    assert len(chosen(rows)) == 4
    rows.loc[rows["depth"] == 2, column] = two
    with pytest.raises(ValueError, match=message):
        chosen(rows)


def test_versions_of_other_metrics_or_of_failures_are_no_mixture():
    rows = measured().assign(metric_version=1)
    rows.loc[rows["metric"] == "floor", "metric_version"] = 2
    assert len(chosen(rows, MCC, FLOOR)) == 8
    failed = (rows["metric"] == "mcc") & (rows["depth"] == 2)
    rows.loc[failed, ["metric_version", "status"]] = [3, "error"]
    assert len(chosen(rows)) == 4


def test_failures_are_told_by_their_reason_with_their_share():
    rows = pd.DataFrame(
        {"seed": [0, 0, 1, 2, 3], "status": ["timeout"] * 3 + ["ok"] * 2}
    )
    assert failures(rows) == "timeout in 2 of 4 seeds (0.2 to 0.8)"
    rows["status"] = ["timeout", "skipped", "diverged", "ok", "ok"]
    assert failures(rows).split("; ") == [
        "diverged in 1 of 4 seeds (0.05 to 0.7)",
        "timeout in 1 of 4 seeds (0.05 to 0.7)",
    ]
    assert failures(rows[rows["seed"] > 1]) == ""


def test_four_numbers_tell_seeds_apart_and_three_do_not():
    rows = measured().assign(value=1.0)  # the same in both seeds, four numbers each
    assert in_order(rows)["seed"].unique().tolist() == [0]
    assert in_order(rows.iloc[:6]).shape[0] == 6
    three = pd.concat([rows.iloc[:3], rows.iloc[:3].assign(seed=7)])
    assert sorted(in_order(three)["seed"].unique()) == [0, 1, 7]


def test_what_no_claim_is_about_is_dropped_and_rows_are_sorted():
    mixed = measured().sample(frac=1, random_state=1).assign(device="cpu", dirty=True)
    found = in_order(mixed.assign(value=range(8)))
    assert set(found) == set(measured()) - {"train_seconds"}
    assert found["depth"].is_monotonic_increasing
