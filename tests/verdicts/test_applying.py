"""What a claim of ours reads in rows of somebody else's, and what they lack for it."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from mae_bench.records import registry
from mae_bench.records.own_rows import own_rows
from mae_bench.theories import Prediction, Theory
from mae_bench.verdicts.applying import Applied, Asked, apply
from mae_bench.verdicts.compared import Lacking

RATIOS = (0.125, 0.25, 0.5, 0.75, 0.9375)
ROOT = {"target": "level_0", "token": "mean", "view": "unmasked"}
Held = Callable[..., Applied]


@pytest.fixture(scope="module")
def theories() -> dict[str, Theory]:
    names = ["hierarchical_latents", "visible_share", "mask_graph_alignment"]
    return registry.load_all("theories", [*names, "spatial_correlations"])


@pytest.fixture(scope="module")
def hold(theories) -> Held:
    asked = Asked(theories)

    def held(number: str, *tables: pd.DataFrame, named: bool = False) -> Applied:
        rows = own_rows(pd.concat(tables, ignore_index=True))
        return apply(claim(theories, number), rows, asked, named=named)

    return held


def claim(theories, number: str) -> Prediction:
    (found,) = [
        t.predictions[number] for t in theories.values() if number in t.predictions
    ]
    return found


def table(metric="linear_r2", levels=RATIOS, factor="mask_ratio", **columns: Any):
    rng = np.random.default_rng(0)
    rows = [
        {"seed": s, factor: x, "metric": metric, "value": rng.random(), **columns}
        for s in range(5)
        for x in levels
    ]
    return pd.DataFrame(rows)


def test_rows_of_ones_own_stand_in_the_claims_place(hold: Held) -> None:
    found = hold("N1", table(target="level_0"))
    assert found.prediction.where == {
        "target": "level_0",
        "dataset": ("",),
        "method": ("",),
    }
    assert found.read == (
        "25 rows: mask_ratio 0.125, 0.25, 0.5, 0.75, 0.9375; target level_0"
    )
    assert found.assumed == (
        "view unmasked; token mean; dataset yours in place of gaussian_tree; "
        "method yours in place of mae"
    )
    assert found.unknown == (
        "whether trainings have converged; headroom below the ceiling"
    )
    assert found.prediction.ceiling is None
    assert not found.prediction.converged
    assert found.prediction.control.absent
    assert "token mean/shuffled" in found.prediction.control.reason


def test_names_of_ours_mean_ours(hold: Held) -> None:
    ours = table(dataset="gaussian_tree", method="mae", **ROOT)
    found = hold("N1", ours, table(dataset="mine", **ROOT))
    assert found.prediction.where["dataset"] == ("gaussian_tree",)
    assert found.assumed == ""
    assert found.prediction.ceiling == pytest.approx(0.9186)
    with pytest.raises(Lacking, match=r"dataset gaussian_tree \(there is digits"):
        hold("N1", table(dataset="digits", **ROOT))
    with pytest.raises(Lacking, match=r"method mae \(there is simclr"):
        hold("N1", table(method="simclr", **ROOT))


def test_several_worlds_of_ones_own_are_held_apart(hold: Held) -> None:
    both = [table(dataset=d, method="m", **ROOT) for d in ("cats", "dogs")]
    found = hold("N1", *both)
    assert found.prediction.each == ("dataset",)
    assert found.read.endswith("; at each dataset")
    assert "dataset cats or dogs in place of gaussian_tree" in found.assumed


def test_a_factor_that_a_claim_knows_nothing_of_is_held_apart(hold: Held) -> None:
    both = [table(width=w, note=f"w{w}", **ROOT) for w in (32, 64)]
    assert hold("N1", *both).prediction.each == ("width", "note")
    # Another word for the levels is no condition.
    tied = table(**ROOT)
    tied["name"] = tied["mask_ratio"].map("enc-{}.pt".format)
    assert hold("N1", tied).prediction.each == ()


def test_a_control_is_taken_where_the_rows_have_it(hold: Held) -> None:
    shuffled = table(**{**ROOT, "token": "mean/shuffled"})
    found = hold("N1", table(**ROOT), shuffled)
    assert dict(found.prediction.control.where) == {"token": "mean/shuffled"}
    world = table("class_similarity", target="intra", dataset="mine")
    spins = table("class_similarity", target="intra", dataset="ising")
    found = hold("Z8-intra", world, spins)
    assert found.prediction.where["dataset"] == ("mine",)
    assert dict(found.prediction.control.where) == {"dataset": "ising"}
    assert hold("Z8-intra", world).prediction.control.absent


def test_what_claims_differ_in_has_to_be_said_or_the_claim_named(hold: Held) -> None:
    with pytest.raises(Lacking, match="column target, to say level_0") as lack:
        hold("N1", table())
    assert lack.value.near == 2
    found = hold("N1", table(), named=True)
    assert "target level_0" in found.assumed
    pair = (0.0, 0.01)
    probe = table("linear_probe", pair, "lamb")
    assert "token mean" in hold("Z6-mean", probe).assumed
    with pytest.raises(Lacking, match="column token, to say cls"):
        hold("Z6", probe)


@pytest.mark.parametrize(
    ("number", "rows", "message", "near"),
    [
        ("N1", table("mcc"), "metric linear_r2", 0),
        (
            "N1",
            table(experiment="symmetry"),
            "linear_r2 in the worlds of mask_ratio",
            0,
        ),
        ("N1", table(factor="lamb"), "column mask_ratio", 1),
        ("N1", table(**{**ROOT, "token": "cls"}), r"token mean \(there is cls", 2),
        (
            "N1",
            table(levels=(0.5,), **ROOT),
            r"2 levels of mask_ratio \(there is 0.5",
            3,
        ),
        ("K5-tree", table(levels=(0.5, 0.75), **ROOT), "3 levels of mask_ratio", 3),
        (
            "K7-tree",
            table(levels=(0.25, 0.75), **ROOT),
            r"mask_ratio 0.9375 or 0.90625 \(there is 0.25, 0.75",
            3,
        ),
        ("B7", table(method="mine", **ROOT), "column noise_std", 1),
    ],
)
def test_what_is_missing_is_said(hold: Held, number, rows, message, near) -> None:
    with pytest.raises(Lacking, match=message) as lack:
        hold(number, rows)
    assert lack.value.near == near


def test_read_outs_are_not_averaged(hold: Held) -> None:
    probe = table("linear_probe", (0.0, 0.01), "lamb")
    rows = [probe.assign(target=target) for target in "ab"]
    with pytest.raises(Lacking, match=r"one target alone \(there are a, b"):
        hold("Z6-mean", *rows)
