import math
from dataclasses import replace
from typing import Any

import pytest
import torch

from mae_bench.records import registry
from mae_bench.records.schema import TIERS
from mae_bench.runs.readers import READERS
from mae_bench.runs.score import name_of, score
from mae_bench.training.train import build

METRICS = registry.names("metrics")
WORLDS = ("gaussian_tree", "digits")
# The one pixel that it looks at is black in every digit.
BLIND = {("chain_predictor", "digits"): {"collapsed"}}
CURVE = [1 + 0.5**k for k in range(32)]


@pytest.mark.parametrize("dataset", WORLDS)
@pytest.mark.parametrize("method", registry.names("methods"))
def test_every_metric_has_rows_that_are_numbers_or_say_why_not(
    method: str, dataset: str, cell_of
) -> None:
    cell = cell_of(method, dataset)
    wanted = [(metric, "unmasked") for metric in METRICS]
    world, built = build(cell, "cpu")
    found = score(cell, world, built.eval(), wanted, "cpu", CURVE)
    assert set(found) == {name_of(cell, *pair) for pair in wanted}
    cell_name = (method, dataset)
    for rows in found.values():
        assert rows
        for row in rows:
            assert row["status"] in {"ok", "skipped", *BLIND.get(cell_name, ())}, row
            if row["status"] == "ok":
                assert math.isfinite(row["value"])
                metric = registry.load("metrics", row["metric"])
                looks = metric.reads not in ("curve", "step")  # of no images
                assert looks <= row["n_eval"] <= looks * TIERS["smoke"].n_test
                assert row["metric_version"] == metric.version
            else:
                assert row["reason"]


def test_what_cannot_be_asked_is_skipped_with_its_reason(cell_of, rows_of) -> None:
    digits = cell_of("random_init", "digits")
    (row,) = rows_of(digits, ("linear_r2", "unmasked"))
    assert (row["status"], row["reason"]) == ("skipped", "digits declares no latents")
    (row,) = rows_of(digits, ("reconstruction_error", "unmasked"))
    assert row["reason"] == "random_init does not reconstruct"
    (row,) = rows_of(cell_of("pixels"), ("alignment", "unmasked"))
    assert row["reason"] == "pixels does not look at patches"
    (row,) = rows_of(cell_of("pixels"), ("linear_r2", "masked"))
    assert (row["status"], row["view"]) == ("skipped", "masked")


def test_an_encoder_that_says_the_same_of_every_image_is_collapsed(
    cell_of, rows_of, answering
) -> None:
    answering(lambda h: torch.ones_like(h))
    kinds = ("linear_r2", "linear_probe", "effective_rank", "uniformity", "alignment")
    rows = rows_of(cell_of("random_init"), *((m, "unmasked") for m in kinds))
    assert {row["metric"] for row in rows} == set(kinds)
    assert {row["status"] for row in rows} == {"collapsed"}
    assert {row["reason"] for row in rows} == {"every image has the same features"}
    assert not any("value" in row for row in rows)


def test_features_that_are_no_numbers_are_an_error_with_a_reason_in_one_line(
    cell_of, rows_of, answering
) -> None:
    answering(lambda h: h * float("nan"))
    for metric in ("linear_r2", "linear_probe", "uniformity"):
        rows = rows_of(cell_of("random_init"), (metric, "unmasked"))
        assert {row["status"] for row in rows} == {"error"}
        assert all(row["reason"] and "\n" not in row["reason"] for row in rows)


def test_a_value_that_is_no_number_is_an_error(
    monkeypatch: pytest.MonkeyPatch, cell_of, rows_of
) -> None:
    mcc = registry.load("metrics", "mcc")
    nothing = replace(mcc, function=lambda *_: {"a": math.nan})
    load = registry.load

    def loading(room: str, name: str) -> Any:
        return nothing if name == "mcc" else load(room, name)

    monkeypatch.setattr(registry, "load", loading)
    rows = rows_of(cell_of("random_init"), ("mcc", "unmasked"))
    assert {row["status"] for row in rows} == {"error"}
    assert {row["reason"] for row in rows} == {"the value is nan"}


def test_a_bug_of_one_instrument_costs_its_own_rows_alone(
    monkeypatch: pytest.MonkeyPatch, cell_of, rows_of
) -> None:
    def reader(*_: Any) -> Any:
        raise KeyError("level_9")

    broken = dict(READERS) | {"labels": reader}
    monkeypatch.setattr("mae_bench.runs.score.READERS", broken)
    wanted = [("linear_probe", "unmasked"), ("effective_rank", "unmasked")]
    lost, *others = rows_of(cell_of("random_init"), *wanted)
    assert (lost["status"], lost["reason"]) == ("error", "KeyError: 'level_9'")
    assert {row["status"] for row in others} == {"ok"}


def test_scoring_again_or_in_another_order_gives_the_same_numbers(
    cell_of, rows_of
) -> None:
    cell = cell_of("mae")
    wanted = [("reconstruction_error", "unmasked"), ("alignment", "unmasked")]
    first = rows_of(cell, *wanted)
    torch.manual_seed(1)
    second = rows_of(cell, *reversed(wanted))
    key = str
    assert sorted(first, key=key) == sorted(second, key=key)


def test_the_name_of_a_metric_changes_with_its_version_view_and_images(cell_of) -> None:
    cell = cell_of("mae")
    quick = replace(cell, tier="quick")
    mcc = registry.load("metrics", "mcc")
    names = {
        name_of(cell, "mcc", "unmasked"),
        name_of(cell, "mcc", "masked"),
        name_of(quick, "mcc", "unmasked"),
    }
    later = replace(mcc, version=mcc.version + 1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("mae_bench.metrics.mcc.mcc", later)
        names.add(name_of(cell, "mcc", "unmasked"))
    assert len(names) == 4
