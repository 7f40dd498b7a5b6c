"""Which read-out is chosen: by validation, over seeds, and by nothing of the test."""

import math

import pandas as pd

from mae_bench.verdicts.read_outs import chosen, with_label_probe


def row(seed: int, read: str, value: float, method: str = "mae") -> dict:
    metric, token = read.split()
    status = "collapsed" if math.isnan(value) else "ok"
    return {
        "method": method,
        "seed": seed,
        "metric": metric,
        "token": token,
        "target": "",
        "value": value,
        "status": status,
    }


def of(read: str, values: list[float], end: str = "/val") -> list[dict]:
    return [row(seed, read + end, value) for seed, value in enumerate(values)]


MEAN, CLS, PATCHES = (
    *("linear_probe mean", "linear_probe cls"),
    "attentive_probe patches",
)


def test_the_best_mean_over_seeds_is_chosen() -> None:
    rows = of(MEAN, [0.9, 0.1]) + of(CLS, [0.6, 0.6]) + of(PATCHES, [0.5, 0.6])
    assert chosen(pd.DataFrame(rows)) == {"mae": "linear cls"}
    assert chosen(pd.DataFrame([*rows, *of(PATCHES, [2, 2])])) == {"mae": "attentive"}


def test_test_images_and_shuffled_labels_have_no_say() -> None:
    rows = of(MEAN, [0.5, 0.5]) + of(CLS, [0.4, 0.4])
    rows += of(CLS, [0.9, 0.9], "") + of(CLS, [0.9, 0.9], "/shuffled")
    assert chosen(pd.DataFrame(rows)) == {"mae": "linear mean"}
    assert chosen(pd.DataFrame(of(CLS, [0.9, 0.9], ""))) == {}


def test_of_equal_ones_the_simplest_is_chosen() -> None:
    rows = of(PATCHES, [0.5]) + of(CLS, [0.5]) + of(MEAN, [0.5])
    assert chosen(pd.DataFrame(rows)) == {"mae": "linear mean"}


def test_a_read_out_that_failed_in_a_seed_is_not_compared_over_easier_ones() -> None:
    rows = of(MEAN, [0.9, 0.3]) + of(CLS, [0.8, math.nan])
    assert chosen(pd.DataFrame(rows)) == {"mae": "linear mean"}


def test_its_rows_stand_once_more_with_their_chance_and_their_failures() -> None:
    rows = of(MEAN, [0.1, 0.1], "") + of(CLS, [0.8, math.nan], "")
    rows += of(CLS, [0.2], "/shuffled") + of(CLS, [0.9])
    rows += [row(0, CLS, 0.7, method="other")]
    found = with_label_probe(pd.DataFrame(rows), {"mae": "linear cls"})
    new = found[found["metric"] == "label_probe"]
    assert new["token"].tolist() == ["mean", "mean", "mean/shuffled"]
    assert new["value"].fillna(-1).tolist() == [0.8, -1, 0.2]
    assert set(new["method"]) == {"mae"}
    assert len(found) == len(rows) + 3
