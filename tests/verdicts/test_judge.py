"""Verdicts on synthetic rows: each kind, its control, what is missing, its bytes."""

import csv
import math
from dataclasses import fields
from types import MappingProxyType, SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from mae_bench.predictions import Control
from mae_bench.predictions.bound import Bound
from mae_bench.predictions.contrast import Contrast
from mae_bench.predictions.equality import Equality
from mae_bench.predictions.peak import Peak
from mae_bench.predictions.trend import Trend
from mae_bench.records.read import read_measurements
from mae_bench.records.ruling import Verdict
from mae_bench.verdicts import judge as judging
from mae_bench.verdicts.judge import judge, judge_prediction

RAMP = np.linspace(0.0, 1.0, 5)
NOWHERE = Control("none: it holds everywhere")


def instrument(name):
    return SimpleNamespace(id=name, lower=0.0, upper=1.0, unit_of=lambda _: name)


@pytest.fixture
def claim(experiment):
    def make(
        form,
        control=NOWHERE,
        standing="derived",
        metric="mcc",
        against=None,
        more=MappingProxyType({}),
        **where,
    ):
        return SimpleNamespace(
            form=form,
            experiment=experiment,
            metric=instrument(metric),
            against=against and instrument(against),
            where={"token": "mean"} | where,
            control=control,
            standing=standing,
            version=1,
            claim="it rises",
            place="fig. 1",
            refuted_by="a fall",
            margin_reason="what one would act on",
            **{
                "each": (),
                "size": None,
                "ceiling": None,
                "converged": False,
                "planted": "",
            }
            | more,
        )

    return make


def theory(*forecasts, unmeasured=None, **predictions):
    return SimpleNamespace(
        predictions=predictions,
        forecasts=forecasts,
        unmeasured=unmeasured or {},
        paper="Some et al. 2023",
    )


def fail(rows, chosen, status="diverged"):
    """The rows with the chosen cells failed as a whole."""
    rows = rows.copy()
    rows.loc[chosen, ["metric", "view", "token", "target"]] = ""
    rows.loc[chosen, "value"] = math.nan
    rows.loc[chosen, "status"] = status
    return rows


def verdict_of(prediction, rows):
    return judge_prediction("t/K1", "t", prediction, {"mask_ratio": rows})


TREND = Trend(0.3, "mask_ratio")


def test_a_clear_effect_is_supported_with_all_its_numbers(claim, measured):
    verdict = verdict_of(claim(TREND), measured(RAMP))
    assert verdict.verdict == "supported"
    assert (verdict.control_verdict, verdict.standing) == (
        "none",
        "derived, no control",
    )
    assert (verdict.alone, verdict.phase, verdict.above) == ("supported", "all", "5/5")
    assert verdict.e_value > 400
    assert verdict.more_seeds == 0
    assert verdict.ci_low < verdict.estimate < verdict.ci_high
    assert verdict.estimate == pytest.approx(1.0, abs=0.02)
    assert (verdict.margin, verdict.n_seeds, verdict.coverage) == (0.3, 5, 1.0)
    assert verdict.p_value < 1e-4
    assert 0 < verdict.minimum_detectable_effect < 0.1


def test_the_opposite_effect_is_refuted(claim, measured):
    verdict = verdict_of(claim(TREND), measured(RAMP[::-1]))
    assert (verdict.verdict, verdict.kind) == ("refuted", "reversed")
    assert verdict.p_value > 0.99


def test_an_effect_that_is_too_small_is_refuted(claim, measured):
    verdict = verdict_of(claim(TREND), measured(0.2 * RAMP))
    assert (verdict.verdict, verdict.kind) == ("refuted", "smaller than claimed")
    flat = verdict_of(claim(TREND), measured(0.0 * RAMP))
    assert (flat.verdict, flat.kind) == ("refuted", "no effect")


def test_an_effect_at_the_margin_is_undecided(claim, measured):
    verdict = verdict_of(claim(TREND), measured(0.3 * RAMP, noise=0.1))
    assert verdict.verdict == "undecided"
    assert verdict.more_seeds > 0


def test_fewer_than_four_seeds_decide_nothing(claim, measured):
    verdict = verdict_of(claim(TREND), measured(RAMP, seeds=3))
    assert (verdict.verdict, verdict.n_seeds) == ("undecided", 3)
    assert verdict.reason == "3 whole seeds; a verdict needs 4"


def test_one_seed_has_an_estimate_and_no_interval(claim, measured):
    verdict = verdict_of(claim(TREND), measured(RAMP, seeds=1, noise=0))
    assert verdict.verdict == "undecided"
    assert verdict.estimate == pytest.approx(1.0)
    assert math.isnan(verdict.ci_low)
    assert math.isnan(verdict.p_value)


def test_a_claim_that_its_control_also_supports_is_void(claim, measured):
    rows = pd.concat([measured(RAMP), measured(RAMP, dataset="structureless")])
    control = Control("no latents", where={"dataset": "structureless"})
    verdict = verdict_of(claim(TREND, control, dataset="world"), rows)
    assert (verdict.verdict, verdict.control_verdict) == ("void", "supported")


def test_a_control_that_fails_leaves_the_claim_supported(claim, measured):
    flat = measured(np.zeros(5), dataset="structureless")
    control = Control("no latents", where={"dataset": "structureless"})
    rows = pd.concat([measured(RAMP), flat])
    verdict = verdict_of(claim(TREND, control, dataset="world"), rows)
    assert (verdict.verdict, verdict.control_verdict) == ("supported", "refuted")


def test_a_refuted_claim_is_not_void_whatever_its_control(claim, measured):
    rows = pd.concat([measured(-RAMP), measured(RAMP, dataset="structureless")])
    control = Control("no latents", where={"dataset": "structureless"})
    verdict = verdict_of(claim(TREND, control, dataset="world"), rows)
    assert (verdict.verdict, verdict.control_verdict) == ("refuted", "supported")


def test_a_control_may_be_another_claim_on_the_same_data(claim, measured):
    exact, wrong = (Equality(0.05, {"mask_ratio": 0.9}, v) for v in (1.0, 2.0))
    control = Control("a wrong closed form", form=wrong)
    verdict = verdict_of(claim(exact, control), measured(RAMP))
    assert (verdict.verdict, verdict.control_verdict) == ("supported", "refuted")
    loose = Control("none", form=Equality(5.0, {"mask_ratio": 0.9}, 2.0))
    assert verdict_of(claim(exact, loose), measured(RAMP)).verdict == "void"


def test_an_equality_is_told_by_its_signed_difference(claim, measured):
    verdict = verdict_of(
        claim(Equality(0.08, {"mask_ratio": 0.9}, 1.02)), measured(RAMP)
    )
    assert verdict.verdict == "supported"
    assert -0.08 < verdict.ci_low < verdict.estimate < 0.0
    assert verdict.p_value < 0.025
    assert verdict.minimum_detectable_effect < 0.08


def test_a_bound_is_told_by_its_least_slack_and_has_no_p_value(claim, measured):
    form = Bound(0.0, {"target": "level_0"}, -1.0, along=("mask_ratio",))
    rows = measured(RAMP)
    verdict = verdict_of(claim(form), rows)
    slack = rows.groupby("seed")["value"].min() + 1.0
    assert verdict.verdict == "supported"
    assert verdict.estimate == verdict.ci_low == pytest.approx(slack.min())
    assert verdict.ci_high == pytest.approx(slack.max())
    assert math.isnan(verdict.p_value)


def test_a_peak_says_where_it_is_and_others_do_not(claim, measured):
    rows = measured([0.0, 0.5, 1.0, 0.5, 0.0])
    verdict = verdict_of(claim(Peak(0.1, "mask_ratio")), rows)
    assert (verdict.verdict, verdict.location) == ("supported", "0.5 (0.5-0.5)")
    assert verdict_of(claim(TREND), rows).location == ""
    lost = fail(rows, rows.index)
    assert verdict_of(claim(Peak(0.1, "mask_ratio")), lost).location == ""


def test_a_second_metric_is_seen_beside_the_first(claim, measured):
    rows = [measured(RAMP), measured(RAMP - 1.0, metric="floor")]
    rows = pd.concat(rows, ignore_index=True)
    form = Contrast(0.5, {"metric": "mcc"}, {"metric": "floor"})
    control = Control("none: nothing else is that high")
    verdict = verdict_of(claim(form, control, against="floor"), rows)
    assert (verdict.verdict, verdict.n_seeds, verdict.coverage) == ("supported", 5, 1.0)
    assert verdict.estimate == pytest.approx(1.0, abs=0.02)
    assert verdict_of(claim(form, control), rows).n_seeds == 0
    # A cell that failed as a whole has one row, which stands for both metrics.
    rows["cell"] = rows["mask_ratio"].map(str) + rows["seed"].map(str)
    failed = (rows.seed == 2) & (rows.mask_ratio == 0.5)
    holed = fail(rows[~failed | (rows.metric == "mcc")], failed)
    verdict = verdict_of(claim(form, control, against="floor"), holed)
    assert (verdict.n_seeds, verdict.coverage) == (4, pytest.approx(24 / 25))


def test_a_control_that_was_not_measured_says_so(claim, measured):
    control = Control("no latents", where={"dataset": "structureless"})
    verdict = verdict_of(claim(TREND, control, dataset="world"), measured(RAMP))
    assert (verdict.verdict, verdict.control_verdict) == (
        "control_open",
        "not_measured",
    )
    assert verdict.reason == "its control is not measured"


@pytest.mark.parametrize("metric", ["mcc", "linear_r2"])
def test_what_was_not_measured_is_not_measured(metric, claim, measured):
    rows = {"mask_ratio": measured(RAMP)} if metric == "linear_r2" else {}
    verdict = judge_prediction("t/K1", "t", claim(TREND, metric=metric), rows)
    assert verdict.verdict == "not_measured"
    assert (verdict.n_seeds, verdict.coverage) == (0, 0.0)
    assert math.isnan(verdict.estimate)


def test_if_every_cell_failed_nothing_was_measured(claim, measured):
    rows = measured(RAMP)
    verdict = verdict_of(claim(TREND), fail(rows, rows.index))
    assert (verdict.verdict, verdict.coverage) == ("not_measured", 0.0)


def test_a_seed_with_a_failed_cell_is_left_out_and_counts_in_coverage(claim, measured):
    rows = measured(RAMP)
    holed = fail(rows, (rows.seed == 2) & (rows.mask_ratio == 0.5))
    verdict = verdict_of(claim(TREND, target="level_0"), holed)
    whole = verdict_of(claim(TREND), rows[rows.seed != 2])
    assert (verdict.verdict, verdict.n_seeds) == ("supported", 4)
    assert verdict.coverage == pytest.approx(24 / 25)
    assert verdict.estimate == whole.estimate


def test_a_level_that_failed_in_every_seed_is_not_dropped_from_the_claim(
    claim, measured
):
    rows = measured(RAMP)
    verdict = verdict_of(claim(TREND), fail(rows, rows.mask_ratio == 0.9))
    assert (verdict.verdict, verdict.n_seeds) == ("undecided", 0)
    assert verdict.coverage == pytest.approx(0.8)


def test_a_metric_that_does_not_apply_to_a_world_leaves_the_others_alone(
    claim, measured
):
    skipped = measured(RAMP, dataset="digits", token="", target="", status="skipped")
    skipped["value"] = math.nan
    verdict = verdict_of(claim(TREND), pd.concat([measured(RAMP), skipped]))
    assert (verdict.verdict, verdict.n_seeds) == ("supported", 5)
    assert verdict.coverage == 0.5


def test_unknown_columns_are_refused_and_mixed_tiers_are_no_verdict(claim, measured):
    with pytest.raises(ValueError, match="no column 'layer'"):
        verdict_of(claim(TREND, layer=3), measured(RAMP))
    mixed = pd.concat([measured(RAMP), measured(RAMP, tier="smoke")])
    verdict = verdict_of(claim(TREND), mixed)
    assert verdict.verdict == "not_measured"
    assert (
        verdict.reason == "mask_ratio mixes tiers planted, smoke; judge one at a time"
    )


def test_theories_are_counted_and_decided_together(claim, measured):
    rows = {"mask_ratio": measured(RAMP, noise=0.1)}
    K1 = claim(TREND)
    K2 = claim(Trend(0.3, "mask_ratio", "decreasing"), standing="extrapolation")
    K3 = claim(TREND, metric="linear_r2", standing="theorem")
    verdicts, scores, _ = judge(
        {"b": theory(K1=K1), "a": theory(K1=K1, K2=K2, K3=K3)}, rows
    )
    assert verdicts["prediction"].tolist() == ["a/K1", "a/K2", "a/K3", "b/K1"]
    # Three of four are decided: each has to have 4 / (5 % of 3).
    assert verdicts["asked"].unique().tolist() == [pytest.approx(4 / 0.15)]
    a = scores.set_index("theory").loc["a"]
    counts = [
        "predictions",
        "supported",
        "refuted",
        "undecided",
        "void",
        "not_measured",
    ]
    assert a[counts].tolist() == [3, 1, 1, 0, 0, 1]
    assert (a["theorem_score"], a["extrapolation_score"]) == (1.0, 0.0)
    assert 0.2 < a["theorem_low"] < a["theorem_high"] <= 1.0
    assert math.isnan(a["forecast_skill"])


def test_planted_nulls_are_held_to_the_strength_that_the_others_set(claim, measured):
    rows = {"mask_ratio": measured(RAMP, noise=0.1)}
    real = {f"K{k}": claim(TREND) for k in range(3)}
    null = claim(TREND, more={"planted": "relabelled"})
    alone, *_ = judge({"a": theory(**real)}, rows)
    verdicts, scores, _ = judge({"a": theory(**real), "n": theory(null=null)}, rows)
    assert set(verdicts["asked"]) == set(alone["asked"])
    found = verdicts.set_index("prediction").loc["n/null"]
    assert found["standing"] == "planted, no control"
    assert found["verdict"] != "supported"
    assert set(alone["verdict"]) == {"supported"}
    # It is neither a theorem nor an extrapolation.
    n = scores.set_index("theory").loc["n", ["theorem_score", "extrapolation_score"]]
    assert n.isna().all()


def test_among_many_that_tell_nothing_one_has_to_be_stronger(claim, measured):
    rows = {"mask_ratio": measured(RAMP, noise=0.15)}
    alone, *_ = judge({"a": theory(K1=claim(TREND))}, rows)
    idle = {f"K{i}": claim(TREND, metric="other") for i in range(2, 40)}
    among, *_ = judge({"a": theory(K1=claim(TREND), **idle)}, rows)
    for table, word in ((alone, "supported"), (among, "undecided")):
        verdict = table.set_index("prediction").loc["a/K1"]
        assert (verdict["verdict"], verdict["alone"]) == (word, "supported")


def test_what_is_not_measured_here_has_a_row_with_its_reason_and_counts(
    claim, measured
):
    found = theory(unmeasured={"K9": "needs ImageNet"}, K1=claim(TREND))
    verdicts, scores, _ = judge({"a": found}, {"mask_ratio": measured(RAMP)})
    by = verdicts.set_index("prediction")
    assert by.loc["a/K9", "verdict"] == "not_measured"
    assert by.loc["a/K9", "reason"] == "needs ImageNet"
    assert (by.loc["a/K1", "form"], by.loc["a/K1", "reason"]) == ("trend", "")
    assert set(by["paper"]) == {found.paper}
    assert by.loc["a/K1", "claim"] == found.predictions["K1"].claim
    assert by.loc["a/K1", "experiment"] == "mask_ratio"
    counts = scores.iloc[0][["predictions", "supported", "not_measured"]]
    assert counts.tolist() == [2, 1, 1]


def test_the_files_do_not_depend_on_the_order_of_rows(
    tmp_path, claim, measured, forecast
):
    rows = pd.concat(
        [measured(RAMP, target="level_1", noise=0.3), measured(RAMP, noise=0.3)]
    )
    claims = theory(
        forecast(lambda f: f["mask_ratio"]),
        K1=claim(TREND),
        K2=claim(Peak(0.1, "mask_ratio")),
    )
    for n in range(3):
        mixed = rows.sample(frac=1, random_state=n, ignore_index=True)
        judged = judge({"t": claims}, {"mask_ratio": mixed})
        judging.write(judged, tmp_path / str(n))
    for name in ("verdicts.csv", "theories.csv", "forecasts.csv"):
        assert len({(tmp_path / str(n) / name).read_bytes() for n in range(3)}) == 1


def test_a_written_verdict_has_the_schemas_columns_and_empty_nan(tmp_path, claim):
    judging.write(judge({"t": theory(K1=claim(TREND, metric="other"))}, {}), tmp_path)
    head, line = (tmp_path / "verdicts.csv").read_text().splitlines()
    assert head.split(",") == [field.name for field in fields(Verdict)]
    found = dict(zip(head.split(","), next(csv.reader([line])), strict=True))
    assert (found["prediction"], found["verdict"]) == ("t/K1", "not_measured")
    assert (found["estimate"], found["e_value"], found["reason"]) == ("", "", "no rows")
    names, numbers = (tmp_path / "theories.csv").read_text().splitlines()
    score = dict(zip(names.split(","), numbers.split(","), strict=True))
    assert (score["predictions"], score["not_measured"]) == ("1", "1")
    assert score["theorem_score"] == ""


def test_no_theories_give_empty_tables_with_columns():
    verdicts, scores, _ = judge({}, {})
    assert verdicts.empty
    assert scores.empty
    assert verdicts.columns[0] == "prediction"


def test_rows_read_from_disk_are_judged_alike(tmp_path, claim, measured, experiment):
    rows = measured(RAMP).assign(
        metric_version=1, n_eval=9, train_seconds=1.0, commit="c", dirty=False
    )
    rows = rows.assign(versions="v", device="cpu")
    rows.to_csv(tmp_path / "mask_ratio.csv", index=False)
    read = read_measurements(tmp_path)
    verdict = judge_prediction(
        "t/K1", "t", claim(TREND, mask_ratio=experiment.factors["mask_ratio"]), read
    )
    assert verdict == verdict_of(claim(TREND), rows)


def test_new_seeds_rule_and_the_pilots_verdict_stands_beside(claim, measured):
    rows = measured(RAMP, seeds=12)
    rows.loc[rows.seed >= 5, "value"] = 0.1 * rows.loc[rows.seed >= 5, "value"]
    theories = {"t": theory(K1=claim(TREND), K2=claim(TREND))}
    verdicts, scores, _ = judge(theories, {"mask_ratio": rows}, {"t/K1": 5, "t/K2": 20})
    first, second = verdicts.to_dict("records")
    assert (first["verdict"], first["phase"], first["n_seeds"]) == (
        "refuted",
        "confirmatory",
        7,
    )
    assert (first["pilot"], first["confirmed"]) == ("supported", "no")
    # Of the second no new seed is there yet.
    assert (second["verdict"], second["phase"]) == ("supported", "pilot")
    assert second["confirmed"] == ""
    assert scores["confirmed"].item() == 0


def test_roundings_are_of_the_seeds_that_are_judged(claim, measured):
    rows = measured(RAMP, seeds=9)
    # Between the pilot and the first new seed all is the other way round.
    rows.loc[rows.seed >= 5, "value"] *= -9
    again = rows.assign(rounding=1, cell=rows["cell"] + "'")
    rows = pd.concat([rows.assign(rounding=0), again])
    theories = {"t": theory(K1=claim(TREND))}
    verdicts, *_ = judge(theories, {"mask_ratio": rows}, {"t/K1": 9})
    (found,) = verdicts.to_dict("records")
    assert (found["phase"], found["verdict"]) == ("pilot", "supported")
    assert found["by_rounding"] == "supported, supported"


def test_a_claim_must_hold_in_each_of_its_conditions(claim, measured):
    rows = pd.concat([measured(RAMP), measured(0.1 * RAMP, dataset="other")])
    on_average = verdict_of(claim(TREND), rows)
    each = verdict_of(claim(TREND, more={"each": ("dataset",)}), rows)
    assert (on_average.verdict, each.verdict) == ("supported", "refuted")
    assert each.conditions.startswith("other 0.09")
    assert "; world 0.99" in each.conditions
    sizes = {"each": ("dataset",), "size": "dataset"}
    assert verdict_of(claim(TREND, more=sizes), rows).verdict == "depends_on_scale"


def test_a_claim_without_room_below_its_ceiling_is_untestable(claim, measured):
    rows = measured(0.1 * RAMP + 0.8, noise=0.005)
    room = verdict_of(claim(TREND, more={"ceiling": 1.5}), rows)
    none = verdict_of(claim(TREND, more={"ceiling": 1.0}), rows)
    assert (room.verdict, none.verdict) == ("refuted", "untestable")
    assert none.headroom == pytest.approx(0.2, abs=0.01)
    assert "to the ceiling" in none.reason
    falls = verdict_of(claim(TREND, more={"ceiling": 1.0}), measured(0.9 - 0.1 * RAMP))
    assert (falls.verdict, falls.kind) == ("refuted", "reversed")


def test_a_claim_about_optima_asks_that_its_cells_have_converged(claim, measured):
    rows = measured(RAMP)
    optimum = claim(TREND, more={"converged": True})
    unknown = verdict_of(optimum, rows)
    assert unknown.verdict == "not_converged"
    assert unknown.reason == "25 of 25 cells have no learning curve"
    curves = rows.assign(metric="convergence", target="converged", token="", value=1.0)
    assert verdict_of(optimum, pd.concat([rows, curves])).verdict == "supported"
    curves.loc[curves.mask_ratio == 0.9, "value"] = 0.0
    still = verdict_of(optimum, pd.concat([rows, curves]))
    assert still.reason == "5 of 25 cells have not converged"


def test_an_artefact_in_claim_and_control_alike_is_seldom_supported(claim):
    control = Control("no latents", where={"dataset": "structureless"})
    form = Contrast(0.2, {"target": "a"}, 0.0)
    prediction = claim(form, control, dataset="world")
    found = []
    for seed in range(60):
        rng = np.random.default_rng(seed)
        rows = pd.DataFrame(
            [
                {
                    "dataset": world,
                    "method": "mae",
                    "tier": "none",
                    "seed": s,
                    "metric": "mcc",
                    "view": "unmasked",
                    "token": "mean",
                    "target": "a",
                    "value": 0.2 + 0.1 * rng.standard_normal() + 0.15,
                    "status": "ok",
                    "cell": f"{world}/{s}",
                }
                for world in ("world", "structureless")
                for s in range(8)
            ]
        )
        found.append(verdict_of(prediction, rows).verdict)
    assert found.count("supported") <= 3
    assert found.count("void") + found.count("control_open") > 10


def test_seeds_that_say_the_same_in_every_row_are_one(claim, measured):
    rows = measured(RAMP, seeds=1)
    copies = pd.concat([rows.assign(seed=s, cell=f"c{s}") for s in range(5)])
    verdict = verdict_of(claim(TREND), copies)
    assert (verdict.verdict, verdict.n_seeds) == ("undecided", 1)


def test_what_fails_is_told_with_its_share(claim, measured):
    rows = measured(RAMP, seeds=6)
    holed = fail(rows, (rows.seed == 2) & (rows.mask_ratio == 0.5), "collapsed")
    verdict = verdict_of(claim(TREND, target="level_0"), holed)
    assert verdict.failed == "collapsed in 1 of 6 seeds (0.03 to 0.6)"


def test_rows_of_two_versions_of_a_metric_are_no_verdict_and_touch_no_other(
    claim, measured
):
    rows = measured(RAMP).assign(metric_version=1)
    rows.loc[rows.seed == 0, "metric_version"] = 2
    other = measured(RAMP, metric="knn").assign(metric_version=1)
    theories = {"t": theory(K1=claim(TREND), K2=claim(TREND, metric="knn"))}
    verdicts, *_ = judge(theories, {"mask_ratio": pd.concat([rows, other])})
    first, second = verdicts.to_dict("records")
    assert first["verdict"] == "not_measured"
    assert first["reason"] == "mask_ratio mixes versions 1, 2 of mcc; measure it again"
    assert second["alone"] == "supported"
