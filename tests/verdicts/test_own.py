"""Verdicts on rows whose truth is known, and on the suite's own rows, exported."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from mae_bench.records import registry
from mae_bench.records.own_rows import own_rows
from mae_bench.records.read import read_rows
from mae_bench.records.rows import over_roundings
from mae_bench.records.schema import UsageError
from mae_bench.verdicts.own import judge_own, strangers, write

RESULTS = Path(__file__).parents[2] / "results"
RATIOS = (0.125, 0.25, 0.5, 0.75, 0.9375)
UP, FLAT = (0.1, 0.2, 0.3, 0.4, 0.5), (0.3,) * 5
HILL, VALLEY = (0.2, 0.4, 0.6, 0.4, 0.2), (0.6, 0.4, 0.2, 0.4, 0.6)
ROOT = {"target": "level_0"}
MEAN, SHUFFLED = {"token": "mean"}, {"token": "mean/shuffled"}


@pytest.fixture(scope="module")
def theories():
    names = ["hierarchical_latents", "visible_share", "mask_graph_alignment"]
    return registry.load_all(
        "theories", [*names, "planted_nulls", "cross_attention_decoder"]
    )


def draw(means, levels=RATIOS, factor="mask_ratio", metric="linear_r2", **columns):
    """Six seeds of a little noise about the means."""
    noise, seeds = columns.pop("noise", 0.01), columns.pop("seeds", 6)
    rng = np.random.default_rng(1)
    rows = [
        {
            "seed": seed,
            factor: level,
            "metric": metric,
            "value": mean + noise * rng.standard_normal(),
            **columns,
        }
        for seed in range(seeds)
        for level, mean in zip(levels, means, strict=True)
    ]
    return pd.DataFrame(rows)


N1, K5, K13 = "visible_share/N1", "hierarchical_latents/K5", "hierarchical_latents/K13"
Z6, CM = "mask_graph_alignment/Z6-mean", "cross_attention_decoder/CM-error"
PAIR = {"levels": (0.0, 0.01), "factor": "lamb", "metric": "linear_probe"}
ATTENTION = {"levels": (False, True), "factor": "mask_to_mask", "pos_embed": True}
ERROR = {**ATTENTION, "metric": "reconstruction_error", "target": "masked"}
SHARE = {"metric": "knowable_share"}


@pytest.mark.parametrize(
    ("key", "rows", "verdict"),
    [
        (N1, draw(UP[::-1], **ROOT), "supported"),
        (N1, draw(UP, **ROOT), "refuted"),
        (N1, draw(FLAT, noise=0.2, **ROOT), "undecided"),
        (K5, draw(HILL, **SHARE, **ROOT), "supported"),
        (K5, draw(VALLEY, **SHARE, **ROOT), "refuted"),
        (K5, draw(UP, **SHARE, **ROOT), "refuted"),
        (K5, draw(FLAT, noise=0.2, **SHARE, **ROOT), "undecided"),
        (K13, draw(HILL, **SHARE, target="level_2"), "supported"),
        (K13, draw(UP, **SHARE, target="level_2"), "refuted"),
        (K13, draw(UP, noise=0.4, **SHARE, target="level_2"), "undecided"),
        (Z6, draw((0.5, 0.6), **PAIR), "supported"),
        (Z6, draw((0.6, 0.5), **PAIR), "refuted"),
        (Z6, draw((0.5, 0.51), noise=0.1, **PAIR), "undecided"),
        (CM, draw((0.501, 0.5), noise=0.001, **ERROR), "supported"),
        (CM, draw((0.6, 0.5), noise=0.001, **ERROR), "refuted"),
    ],
)
def test_the_truth_of_synthetic_rows_is_found(theories, key, rows, verdict) -> None:
    (found,) = judge_own(theories, rows, wanted=[key]).verdicts.to_dict("records")
    assert found["verdict"] == verdict
    assert found["control_verdict"] == "none"


def test_numbers_are_those_of_the_rows(theories) -> None:
    table = draw(UP[::-1], noise=0.02, **ROOT)
    (found,) = judge_own(theories, table, wanted=[N1]).verdicts.to_dict("records")
    wide = table.pivot_table(index="seed", columns="mask_ratio", values="value")
    slopes = wide.to_numpy() @ np.array([2, 1, 0, -1, -2]) / 10 * 4
    assert found["estimate"] == pytest.approx(slopes.mean())
    assert found["ci_low"] < found["estimate"] < found["ci_high"]
    assert (found["n_seeds"], found["margin"], found["asked"]) == (6, 0.02, 20)
    assert found["standing"] == "extrapolation, no control"
    assert found["unknown"].startswith("whether trainings have converged")


def test_a_control_of_ones_own_makes_a_claim_void(theories) -> None:
    claim = draw(UP[::-1], **ROOT, **MEAN)
    control = claim.assign(**SHUFFLED)
    for rows, verdict in ((control, "void"), (control.assign(value=0.3), "supported")):
        both = pd.concat([claim, rows], ignore_index=True)
        found = judge_own(theories, both, wanted=[N1]).verdicts
        assert found["verdict"].item() == verdict


def test_more_predictions_ask_for_more(theories) -> None:
    rows = draw(UP[::-1], noise=0.2, **ROOT)
    alone = judge_own(theories, rows, wanted=[N1]).verdicts
    every = judge_own(theories, rows).verdicts
    assert len(every) > 1
    assert alone["asked"].item() == 20
    assert every["asked"].min() > 20


def test_what_could_not_be_judged_is_told_the_nearest_first(theories) -> None:
    missing = judge_own(theories, draw(UP, **ROOT)).missing.set_index("prediction")
    assert not missing.index.str.startswith("planted_nulls").any()
    assert missing["near"].is_monotonic_decreasing
    assert missing.loc[K5, "missing"] == "metric knowable_share"
    assert missing.loc["hierarchical_latents/K6-tree", "missing"] == "column mask_unit"
    whole = draw(UP, **ROOT)
    lame = whole[(whole["seed"] < 3) | (whole["mask_ratio"] < 0.9)]
    found = judge_own(theories, pd.concat([lame, draw(HILL, **SHARE, **ROOT)]))
    said = found.missing.set_index("prediction").loc[N1, "missing"]
    assert said == "4 whole seeds (3 of 6 have all that is compared)"
    assert K5 in set(found.verdicts["prediction"])


@pytest.mark.parametrize(
    ("rows", "wanted", "message"),
    [
        (
            draw(UP, seeds=3, **ROOT),
            [],
            "my.csv has 3 seeds; a verdict needs 4: .*N1 want 4 seeds .there are 3",
        ),
        (
            draw(UP, factor="maskratio", **ROOT),
            [],
            "N1 want column mask_ratio; .*column maskratio: .* near is mask_ratio",
        ),
        (draw(UP, metric="acc"), [N1], "N1 .*: metric linear_r2; acc: not a metric"),
        (draw(UP, metric="linear_r"), [], "unknown metric 'linear_r'; .* linear_r2"),
        (draw((50, 60), **PAIR), [], "linear_probe 60.* is above 1"),
        (
            draw((0.5,), (0.75,)),
            [N1],
            "N1 cannot be judged; missing: 2 levels of mask_ratio",
        ),
        (
            draw((0.5,), (0.75,), **ROOT),
            [],
            "none of .* K5-tree wants 3 levels .*there is 0.75.; .* want metrics",
        ),
        (draw(UP), ["planted_nulls/null-K5"], "false on purpose"),
        (draw(UP), ["hierarchical_latents/K9"], "needs ImageNet"),
    ],
)
def test_nothing_to_judge_is_one_line(theories, rows, wanted, message) -> None:
    with pytest.raises(UsageError, match=message) as error:
        judge_own(theories, rows, source="my.csv", wanted=wanted)
    assert "\n" not in str(error.value)


def test_strange_metrics_and_doubled_seeds_are_told() -> None:
    rows = pd.concat([draw(UP, **ROOT), draw(UP, metric="linear_r3")])
    copies = rows[rows["seed"] == 0].assign(seed=9)
    lines = strangers(own_rows(pd.concat([rows, copies], ignore_index=True)))
    assert lines[0].startswith(
        "linear_r3: not a metric of ours, not read; near are linear_r2"
    )
    assert lines[1].startswith("seeds 9 have the numbers of others")
    assert strangers(own_rows(draw(UP, metric="mine")), ["mine"]) == []


def test_all_is_written_into_two_tables(theories, tmp_path: Path) -> None:
    found = judge_own(theories, draw(UP, **ROOT))
    paths = write(found, tmp_path)
    assert [path.name for path in paths] == ["my_verdicts.csv", "my_forecasts.csv"]
    table = pd.read_csv(paths[0]).set_index("prediction")
    assert len(table) == len(found.verdicts) + len(found.missing)
    assert table.loc[N1, "verdict"] == "refuted"
    assert table.loc[K5, ["verdict", "reason"]].tolist() == [
        "not_measured",
        "metric knowable_share",
    ]


EXPORTED = [
    "mask_graph_bound",
    "mode_dynamics",
    "decoder_attention",
    "linear_patch_size",
]


@pytest.mark.parametrize("name", EXPORTED)
def test_the_suites_rows_as_ones_own_say_what_they_say_in_the_suite(name: str) -> None:
    """Estimate, interval, seeds, strength and control, to the file's last digit."""
    published = pd.read_csv(RESULTS / "verdicts.csv").set_index("prediction")
    mine = published[
        (published["experiment"] == name)
        & (published["coverage"] == 1)
        & ~published["standing"].str.startswith("planted")
    ]
    assert len(mine) > 2
    theories = registry.load_all("theories", sorted(set(mine["theory"])))
    rows = over_roundings(read_rows(RESULTS / "measurements" / f"{name}.csv"))
    (phase,) = set(mine["phase"])
    new = rows["seed"] >= 5
    rows = rows[(rows["status"] == "ok") & (new if phase == "confirmatory" else ~new)]
    factors = list(registry.load("experiments", name).factors)
    said = ["dataset", "method", "metric", "view", "token", "target", "value"]
    found = judge_own(
        theories, rows[["seed", *factors, *said]], wanted=list(mine.index)
    )
    ours = found.verdicts.set_index("prediction").loc[mine.index]
    numbers = ["estimate", "ci_low", "ci_high", "margin", "n_seeds", "e_value"]
    for column in [*numbers, "difference"]:
        np.testing.assert_allclose(ours[column], mine[column], rtol=1e-5, atol=1e-12)
    assert ours["alone"].tolist() == mine["alone"].tolist()
    assert ours["control_verdict"].tolist() == mine["control_verdict"].tolist()
