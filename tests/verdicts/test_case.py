"""Claims beside their controls: paired by seed, in each condition."""

import math
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from mae_bench.predictions import Control
from mae_bench.predictions.contrast import Contrast
from mae_bench.verdicts.case import case, control_verdict, summary

FORM = Contrast(0.1, {"method": "mae"}, {"method": "pixels"})


def measured(**gains):
    rng = np.random.default_rng(0)
    rows = [
        (world, method, seed, gain * (method == "mae") + 0.01 * rng.normal())
        for world, gain in gains.items()
        for method in ("mae", "pixels")
        for seed in range(6)
    ]
    table = pd.DataFrame(rows, columns=["dataset", "method", "seed", "value"])
    return table.assign(
        metric="mcc",
        view="unmasked",
        token="mean",  # noqa: S106 - a read-out
        target="",
        tier="planted",
        status="ok",
        cell=[str(i) for i in range(len(rows))],
    )


def found(control, rows, ceiling=None):
    prediction = SimpleNamespace(
        form=FORM,
        experiment=SimpleNamespace(id="which"),
        metric=SimpleNamespace(id="mcc"),
        against=None,
        where={"dataset": "world"},
        control=control,
        each=(),
        size=None,
        ceiling=ceiling,
        converged=False,
        planted="",
    )
    return case(prediction, {"which": rows})


def test_a_claim_is_held_against_its_control_seed_by_seed():
    control = Control("no latents", where={"dataset": "none"})
    one = found(control, measured(world=0.5, none=0.3))
    assert control_verdict(one) == "supported"
    assert one.difference == pytest.approx(0.2, abs=0.02)
    assert one.beyond > 20
    alike = found(control, measured(world=0.5, none=0.5))
    assert alike.beyond < 20


def test_a_control_of_another_form_has_no_difference():
    other = Control("less", form=Contrast(5.0, {"method": "mae"}, 0.0))
    one = found(other, measured(world=0.5))
    assert control_verdict(one) == "refuted"
    assert math.isnan(one.difference)
    assert math.isnan(summary(one)["difference_e_value"])


def test_without_a_place_there_is_no_control():
    one = found(Control("none: everywhere"), measured(world=0.5))
    assert (one.control, control_verdict(one)) == (None, "none")


def test_a_ceiling_may_be_a_constant_or_rows():
    rows = measured(world=0.5)
    best = rows[rows.method == "mae"].assign(method="oracle", value=0.9)
    rows = pd.concat([rows, best])
    for ceiling in (0.9, {"method": "oracle"}):
        one = found(Control("none: everywhere"), rows, ceiling)
        assert one.headroom == pytest.approx(0.9, abs=0.02)
