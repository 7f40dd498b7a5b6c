"""A verdict that hangs on rounding is seen; one that does not is kept."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from mae_bench.predictions import Control
from mae_bench.predictions.trend import Trend
from mae_bench.records.stats import wilson
from mae_bench.records.strength import FIXED
from mae_bench.verdicts.evidence import in_order
from mae_bench.verdicts.roundings import Roundings, by_rounding, kept

RAMP, FLAT = np.linspace(0.0, 1.0, 5), np.zeros(5)


@pytest.fixture
def claim(experiment):
    return SimpleNamespace(
        form=Trend(0.3, "mask_ratio"),
        experiment=experiment,
        metric=SimpleNamespace(id="mcc"),
        against=None,
        where={"token": "mean"},
        control=Control("none: it holds everywhere"),
        each=(),
        size=None,
        ceiling=None,
        converged=False,
        planted="",
    )


def both(first, other):
    """The same seeds twice, their first weights rounded otherwise."""
    first, other = first.assign(rounding=0), other.assign(rounding=1)
    return pd.concat([first, other.assign(cell=other["cell"] + "'")])


def said(claim, rows, seeds=None):
    roundings = Roundings({"mask_ratio": rows})
    return by_rounding(claim, roundings, seeds or roundings.seeds("mask_ratio"))


def test_each_rounding_speaks_alone(claim, measured):
    rows = both(measured(RAMP, seeds=8), measured(FLAT, seeds=8))
    assert said(claim, rows) == ("supported", "refuted")
    same = both(measured(RAMP, seeds=8), measured(RAMP + 0.01, seeds=8))
    assert said(claim, same) == ("supported", "supported")
    assert said(claim, same, range(2)) == ("undecided", "undecided")


def test_one_rounding_has_none_to_be_held_against(claim, measured):
    rows = measured(RAMP)
    assert said(claim, rows) == said(claim, rows.assign(rounding=0)) == ()
    assert by_rounding(claim, Roundings({}), range(8)) == ()


def test_seeds_that_lack_a_rounding_are_left_out_of_both(claim, measured):
    rows = both(measured(RAMP, seeds=8), measured(RAMP, seeds=3, noise=0.02))
    assert said(claim, rows) == ("undecided", "undecided")


def test_what_does_not_train_is_the_same_in_all(claim, measured):
    controls = measured(FLAT, seeds=8, method="pixels").assign(rounding=0)
    rows = pd.concat([both(*[measured(RAMP, seeds=8)] * 2), controls])
    found = said(claim, rows)
    assert len(found) == 2
    assert len(set(found)) == 1


def test_a_seed_counts_once_with_the_mean_of_its_roundings(measured):
    rows = both(measured(RAMP), measured(RAMP + 0.2))
    found = in_order(rows)
    assert len(found) == len(rows) / 2
    at_half = found[found["mask_ratio"] == 0.5]
    noise = measured(FLAT)
    noise = noise.loc[noise["mask_ratio"] == 0.5, "value"].to_numpy()
    assert sorted(at_half["value"]) == pytest.approx(sorted(0.6 + noise))


def test_a_rounding_that_failed_leaves_its_seed_without_a_value(measured):
    fine, lost = measured(RAMP), measured(RAMP)
    lost.loc[lost["seed"] == 0, ["value", "status"]] = [np.nan, "collapsed"]
    found = in_order(both(fine, lost))
    assert set(found.loc[found["seed"] == 0, "status"]) == {"collapsed"}
    assert found.loc[found["seed"] == 0, "value"].isna().all()
    assert found.loc[found["seed"] != 0, "value"].notna().all()


def test_the_share_that_is_kept_is_of_what_one_rounding_decides():
    words = ["supported, supported", "refuted, supported", "undecided, refuted", ""]
    same, decided, low, high = kept(pd.DataFrame({"by_rounding": words}))
    assert (same, decided) == (1, 2)
    assert low < 0.5 < high


def test_what_is_kept_is_said_alike_by_every_rounding():
    words = [*["supported, supported, supported"] * 3, "supported, supported, refuted"]
    same, decided, low, high = kept(pd.DataFrame({"by_rounding": words}))
    assert (same, decided) == (3, 4)
    assert (low, high) == pytest.approx(wilson(3, 4)[1:])


def test_without_a_seed_that_has_all_roundings_nothing_is_measured(claim, measured):
    rows = both(measured(RAMP, seeds=2), measured(RAMP, seeds=2).assign(seed=9))
    assert said(claim, rows) == ("not_measured", "not_measured")


def test_a_claim_is_weighed_by_the_rule_that_is_given(claim, measured):
    rows = Roundings({"mask_ratio": both(*[measured(RAMP, seeds=4, noise=0.2)] * 2)})
    assert by_rounding(claim, rows, range(4)) == ("undecided",) * 2
    assert by_rounding(claim, rows, range(4), FIXED) == ("supported",) * 2
