"""What is planted is false: in its rows, in expectation, and by the judge's word."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from mae_bench.predictions.association import Association
from mae_bench.predictions.bound import Bound
from mae_bench.predictions.contrast import Contrast
from mae_bench.predictions.equality import Equality
from mae_bench.predictions.equivalence import Equivalence
from mae_bench.predictions.membership import Membership
from mae_bench.predictions.nearer import Nearer
from mae_bench.predictions.ordering import Ordering
from mae_bench.predictions.peak import Peak
from mae_bench.predictions.trend import Trend
from mae_bench.verdicts.planting import BEYOND, plant, told

LEVELS = (0.1, 0.25, 0.5, 0.75, 0.9)
TARGETS = ("inside/a", "inside/b", "outside/a", "outside/b", "all")
HIGH, LOW = {"target": "inside/a"}, {"target": "outside/a"}


def claim(form, planted, where=None, each=()):
    return SimpleNamespace(
        form=form,
        experiment=SimpleNamespace(id="grid"),
        metric=SimpleNamespace(id="mcc"),
        where=where or {"token": "mean"},
        each=each,
        planted=planted,
    )


def rows_of(seeds, height, worlds=("world",), noise=0.01):
    """A value a level and target, ``height(level, target)`` and a little noise."""
    rng = np.random.default_rng(0)
    rows = [
        {
            "dataset": world,
            "method": "mae",
            "metric": "mcc",
            "view": "unmasked",
            "token": "mean",
            "target": target,
            "mask_ratio": level,
            "seed": seed,
            "status": "ok",
            "cell": f"{world}/{level}/{seed}",
            "value": height(level, target) + noise * rng.normal(),
        }
        for world in worlds
        for seed in seeds
        for level in LEVELS
        for target in TARGETS
    ]
    return pd.DataFrame(rows)


def rising(level, target):
    return level + target.startswith("inside")


def bent(level, target):
    return 0.5 - abs(level - 0.5) + 0 * len(target)


TREND = Trend(0.1, "mask_ratio")
RELABELLED = claim(TREND, "relabelled")


def test_a_claim_that_is_meant_keeps_its_rows():
    rows = rows_of(range(5), rising)
    assert plant(claim(TREND, ""), rows) is rows


def test_the_draws_of_a_seed_know_neither_other_seeds_nor_the_order_of_rows():
    rows = rows_of(range(6), rising)
    whole = plant(RELABELLED, rows)["value"]
    mixed = plant(RELABELLED, rows.sample(frac=1, random_state=0))["value"]
    pd.testing.assert_series_equal(mixed.sort_index(), whole)
    few = rows[rows["seed"] < 3]
    pd.testing.assert_series_equal(plant(RELABELLED, few)["value"], whole[few.index])
    other = plant(claim(TREND, "relabelled", {"token": "cls"}), rows)["value"]
    assert (other != whole).any()


@pytest.mark.parametrize(
    ("form", "recipe"),
    [
        (TREND, "relabelled"),
        (Contrast(0.1, {}, 0.0), "scattered"),
        (Equality(0.1, HIGH, LOW), "shifted"),
        (Bound(0.1, {}, 0.0, ("mask_ratio", "target")), "violated"),
    ],
)
def test_a_control_is_altered_by_the_same_draw_in_every_condition(form, recipe):
    prediction = claim(form, recipe, each=("dataset",))
    rows = rows_of(range(6), rising, noise=0.0)
    one = plant(prediction, rows)
    both = plant(prediction, rows_of(range(6), rising, ("a", "world"), 0.0))
    elsewhere = plant(prediction, rows.assign(dataset="ising"), form)
    assert (one["value"] != rows["value"]).any()
    assert list(elsewhere["value"]) == list(one["value"])
    if recipe != "violated":  # there it is one point of all
        assert list(both["value"]) == 2 * list(one["value"])


def test_values_are_dealt_within_a_seed_and_a_condition_and_failures_stay():
    rows = rows_of(range(4), rising, ("a", "b"))
    rows.loc[[3, 40], "value"] = np.nan
    dealt = plant(claim(TREND, "relabelled", each=("dataset",)), rows)
    assert list(dealt["value"].isna()) == list(rows["value"].isna())
    for _, mine in rows.groupby(["seed", "dataset"]):
        theirs = dealt.loc[mine.index, "value"].dropna()
        assert sorted(theirs) == sorted(mine["value"].dropna())
        assert list(theirs) != list(mine["value"].dropna())


def test_of_an_association_only_what_is_ordered_is_dealt():
    form = Association(0.5, HIGH, LOW, ("mask_ratio",))
    rows = rows_of(range(4), rising)
    changed = plant(claim(form, "relabelled"), rows)["value"] != rows["value"]
    assert set(rows.loc[changed, "target"]) == {"outside/a"}


@pytest.mark.parametrize(
    ("form", "recipe", "margins"),
    [
        (Contrast(0.1, HIGH, 0.3, scale=2.0, sign=-1), "scattered", 0.0),
        (Contrast(0.1, HIGH, LOW), "scattered", 0.0),
        (Equality(0.1, HIGH, LOW, along=("mask_ratio",)), "shifted", BEYOND),
        (Equality(0.1, HIGH, LOW, True, ("mask_ratio",)), "shifted", BEYOND),
        (Equality(0.1, HIGH, -2.0, relative=True), "shifted", BEYOND),
        (
            Equivalence(0.1, Contrast(0.1, HIGH, LOW, scale=3.0, sign=-1)),
            "shifted",
            BEYOND,
        ),
    ],
)
def test_the_effect_is_scattered_around_some_margins(form, recipe, margins):
    rows = rows_of(range(300), rising)
    before = form.effects(rows)
    after = form.effects(plant(claim(form, recipe), rows))
    z = (after - margins * form.margin) / before
    # One draw a seed, the same at every point.
    assert np.ptp(z.to_numpy(), axis=1).max() < 1e-9
    assert abs(z.mean().iloc[0]) < 0.2
    assert z.std().iloc[0] == pytest.approx(1, abs=0.15)


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("margin", [0.0, 0.1])
def test_a_bound_is_broken_at_one_point_of_every_second_seed(sign, margin):
    form = Bound(margin, {}, 0.5, ("mask_ratio", "target"), sign)
    rows = rows_of(range(200), lambda *_: 0.5, noise=0.0)
    planted = plant(claim(form, "violated"), rows)
    broken = sign * (planted["value"] - 0.5) < -margin
    seeds = rows.loc[broken, "seed"]
    assert seeds.is_unique
    assert len(seeds) == pytest.approx(100, abs=25)
    assert form.decide(form.effects(rows)) == "supported"
    assert form.decide(form.effects(planted)) == "refuted"


def test_a_recipe_that_does_not_fit_is_named():
    rows = rows_of(range(4), rising)
    with pytest.raises(ValueError, match="no recipe 'burnt'; there are relabelled"):
        plant(claim(TREND, "burnt"), rows)
    with pytest.raises(ValueError, match="a Trend has no two sides"):
        plant(claim(TREND, "shifted"), rows)


FORMS = {
    "association": (Association(0.5, HIGH, LOW, ("mask_ratio",)), "relabelled", rising),
    "contrast": (Contrast(0.1, HIGH, LOW), "relabelled", rising),
    "contrast of levels": (
        Contrast(0.1, {"mask_ratio": 0.9}, {"mask_ratio": (0.1, 0.25)}),
        "relabelled",
        rising,
    ),
    "contrast with a constant": (Contrast(0.1, {}, 0.0), "scattered", rising),
    "ordering": (Ordering(0.1, "mask_ratio", LEVELS), "relabelled", rising),
    "peak": (Peak(0.1, "mask_ratio"), "relabelled", bent),
    "trend": (TREND, "relabelled", rising),
    "nearer": (
        Nearer(0.1, "mask_ratio", 0.9, 0.75, 0.1),
        "relabelled",
        rising,
    ),
    "membership": (Membership(0.9), "relabelled", rising),
    "equality": (Equality(0.1, HIGH, LOW), "shifted", bent),
    "equivalence": (Equivalence(0.1, Contrast(0.1, HIGH, LOW)), "shifted", bent),
    "bound": (Bound(0.1, {}, 0.0, ("mask_ratio", "target")), "violated", rising),
}


def supported(form, rows, seeds):
    """In how many of the samples of so many seeds."""
    effects = form.effects(rows)
    samples = [effects.iloc[at : at + seeds] for at in range(0, len(effects), seeds)]
    return np.mean([form.decide(sample) == "supported" for sample in samples])


@pytest.mark.parametrize("seeds", [5, 12])
@pytest.mark.parametrize("name", FORMS)
def test_a_claim_that_is_always_supported_is_so_in_5_of_100_where_planted(name, seeds):
    form, recipe, height = FORMS[name]
    rows = rows_of(range(120 * seeds), height, noise=0.005)
    assert supported(form, rows[rows["seed"] < 10 * seeds], seeds) == 1
    # Of 120 samples: two standard errors above the promised share, at most.
    assert supported(form, plant(claim(form, recipe), rows), seeds) <= 0.05 + 0.04


def test_nulls_are_counted_apart_from_all_others():
    words = ["supported", "refuted", "undecided", "not_measured", "supported"]
    standing = ["planted", "planted, no control", "planted", "planted", "theorem"]
    said = told(pd.DataFrame({"verdict": words, "standing": standing}))
    assert said == "planted nulls: 1 of 3 supported (95 % interval 0.061 to 0.79)"
    none = pd.DataFrame({"verdict": ["supported"], "standing": ["theorem"]})
    assert told(none) == "planted nulls: none is measured"
