"""What is heard of a prediction where its rows cannot be looked at."""

from types import SimpleNamespace

import pandas as pd
import pytest

from mae_bench.predictions import Control
from mae_bench.predictions.contrast import Contrast
from mae_bench.verdicts.hearing import hear


@pytest.fixture
def prediction(experiment):
    return SimpleNamespace(
        form=Contrast(0.1, {"mask_ratio": 0.9}, {"mask_ratio": 0.1}),
        experiment=experiment,
        metric=SimpleNamespace(id="mcc"),
        against=None,
        where={},
        control=Control("none: everywhere"),
        each=(),
        size=None,
        ceiling=None,
        converged=False,
        planted="",
    )


def at(measurements, seeds):
    """Their rows alone."""
    return {name: rows[rows["seed"].isin(seeds)] for name, rows in measurements.items()}


def test_without_rows_there_is_nothing_to_hear(prediction, measured):
    rows = {"mask_ratio": measured([0.0] * 5)}
    for found in (hear(prediction, {}), hear(prediction, at(rows, [7]))):
        assert found.ruling(20.0) == ("not_measured", "no rows")
        assert found.strength == 1.0


def test_only_the_seeds_that_are_asked_for_are_heard(prediction, measured):
    rows = {"mask_ratio": measured([0.0, 0.2, 0.4, 0.6, 0.8], seeds=9)}
    found = hear(prediction, at(rows, range(5, 9)))
    assert found.case.claim.n_seeds == 4
    assert found.ruling(20.0)[0] == "supported"
    assert found.ruling(1e9)[0] == "undecided"


def test_rows_that_do_not_belong_together_are_a_reason(prediction, measured):
    mixed = pd.concat([measured([0.0] * 5), measured([1.0] * 5, tier="smoke")])
    found = hear(prediction, {"mask_ratio": mixed})
    assert found.ruling(20.0)[0] == "not_measured"
    assert "mixes tiers" in found.reason
