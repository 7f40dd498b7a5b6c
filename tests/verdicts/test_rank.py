"""Ranks on synthetic rows: ties, orders, failures, bytes."""

import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from mae_bench.metrics import Headline
from mae_bench.metrics.mcc import mcc
from mae_bench.records.faults import WrongPart
from mae_bench.verdicts import rank as ranking
from mae_bench.verdicts.rank import rank

MEANS = {"random_init": 0.1, "mae": 0.5, "u_mae": 0.7, "oracle_latents": 1.0}


def row(dataset, method, seed, metric, value, target="", **columns):
    return {
        "dataset": dataset,
        "method": method,
        "seed": seed,
        "metric": metric,
        "view": "unmasked",
        "token": "mean",
        "target": target,
        "value": value,
        "status": "ok",
        "cell": f"{dataset}/{method}/{seed}",
    } | columns


def measured(means=MEANS, seeds=5, noise=0.01, dataset="world"):
    rng = np.random.default_rng(0)
    rows = []
    for method, mean in means.items():
        for seed in range(seeds):
            for metric, target in (("linear_r2", "level_0"), ("linear_probe", "")):
                value = mean + noise * rng.standard_normal()
                rows.append(row(dataset, method, seed, metric, value, target))
            rows.append(row(dataset, method, seed, "linear_r2", -9.0, "level_1"))
            cls = row(dataset, method, seed, "linear_r2", -9.0, "level_0")
            rows.append(cls | {"token": "cls"})
    return pd.DataFrame(rows)


def board_of(rows):
    return rank({"leaderboard": rows})


def test_a_clear_order_is_clear():
    board = board_of(measured())
    assert board["method"].tolist() == ["u_mae", "mae", "oracle_latents", "random_init"]
    assert board["track"].tolist() == ["pixels"] * 2 + ["reference"] * 2
    by = board.set_index("method")
    assert by.loc["u_mae", ["linear_r2_level_0_rank_best"]].item() == 1
    assert by.loc["u_mae", ["linear_r2_level_0_rank_worst"]].item() == 1
    assert by.loc["mae", ["linear_probe_rank_best"]].item() == 2
    assert by.loc["mae", ["linear_probe_rank_worst"]].item() == 2


def test_values_stand_with_interval_floor_and_ceiling():
    rows = measured()
    chosen = (rows.method == "mae") & (rows.metric == "linear_probe")
    values = rows[chosen]["value"]
    by = board_of(rows).set_index("method")
    mae = by.loc["mae"]
    half = 2.776445 * values.std() / math.sqrt(5)
    assert mae["linear_probe"] == pytest.approx(values.mean())
    assert mae["linear_probe_low"] == pytest.approx(values.mean() - half)
    assert mae["linear_probe_high"] == pytest.approx(values.mean() + half)
    assert mae["linear_probe_floor"] == by.loc["random_init", "linear_probe"]
    assert mae["linear_probe_ceiling"] == by.loc["oracle_latents", "linear_probe"]
    assert mae["linear_probe_n_seeds"] == 5


def test_chance_is_of_the_methods_own_features_and_the_latents_of_others():
    rows = measured()
    shuffled = rows[(rows.target == "level_0") & rows.token.isin(["mean"])]
    shuffled = shuffled.replace({"token": {"mean": "mean/shuffled"}})
    shuffled["value"] -= 0.6
    by = board_of(pd.concat([rows, shuffled])).set_index("method")
    found = by["linear_r2_level_0"] - by["linear_r2_level_0_chance"]
    assert found.tolist() == pytest.approx([0.6] * 4)
    assert by["linear_probe_chance"].isna().all()
    # What is held against the latents of others changes nothing else.
    plain = board_of(rows).drop(columns="linear_r2_level_0_chance").set_index("method")
    pd.testing.assert_frame_equal(by.drop(columns="linear_r2_level_0_chance"), plain)


def test_the_floor_and_the_ceiling_are_shown_and_not_ranked():
    by = board_of(measured()).set_index("method")
    assert by.loc[["random_init", "oracle_latents"], "linear_probe"].notna().all()
    assert (
        by.loc[["random_init", "oracle_latents"], "linear_probe_rank_best"].isna().all()
    )


def test_ranks_are_among_those_that_are_told_the_same():
    means = {"mae": 0.5, "u_mae": 0.6, "simclr": 0.9, "byol": 0.8, "supervised": 1.0}
    boards = board_of(
        pd.concat([measured(means, dataset=d) for d in ("digits", "gaussian_tree")])
    )
    for dataset, track in (("digits", "augmentations"), ("gaussian_tree", "causes")):
        by = boards[boards.dataset == dataset].set_index("method")
        assert by.index.tolist() == ["u_mae", "mae", "simclr", "byol", "supervised"]
        assert by["track"].tolist() == ["pixels"] * 2 + [track] * 2 + ["reference"]
        assert by["linear_probe_rank_best"].tolist()[:4] == [1, 2, 1, 2]
        assert by["linear_probe_rank_worst"].tolist()[:4] == [1, 2, 1, 2]
        assert math.isnan(by.loc["supervised", "linear_probe_rank_best"])


def test_an_encoder_from_elsewhere_is_ranked_in_the_track_that_it_names():
    rows = measured({"mae": 0.5, "simclr": 0.9, "theirs": 0.7}, dataset="digits")
    for told, best in ((None, 1), ("pixels", 1), ("augmentations", 2)):
        others = None if told is None else {"theirs": told}
        by = rank({"leaderboard": rows}, others).set_index("method")
        assert by.loc["theirs", "track"] == (told or "pixels")
        assert by.loc["theirs", "linear_probe_rank_best"] == best
        assert by.loc["mae", "linear_probe_rank_best"] == (1 if best == 2 else 2)


def test_the_headline_of_labels_is_the_read_out_that_validation_chooses():
    def probed(method, metric, token, val, test):
        return [
            row("digits", method, seed, metric, value + seed / 1e3, token=token + end)
            for seed in range(5)
            for end, value in (("", test), ("/val", val))
        ]

    rows = [
        *probed("mae", "linear_probe", "mean", 0.6, 0.9),
        *probed("mae", "linear_probe", "cls", 0.7, 0.65),
        *probed("u_mae", "linear_probe", "mean", 0.8, 0.75),
        *probed("random_init", "linear_probe", "mean", 0.3, 0.2),
        *probed("random_init", "attentive_probe", "patches", 0.4, 0.3),
    ]
    by = board_of(pd.DataFrame(rows)).set_index("method")
    assert by.index.tolist() == ["u_mae", "mae", "random_init"]
    assert by["label_probe"].tolist() == pytest.approx([0.752, 0.652, 0.302])
    assert by["label_probe_read"].tolist() == [
        *("linear mean", "linear cls", "attentive")
    ]
    assert by["label_probe_floor"].tolist() == pytest.approx([0.302] * 3)
    assert by["linear_probe"].tolist() == pytest.approx([0.752, 0.902, 0.202])
    old = board_of(pd.DataFrame(rows).query("not token.str.endswith('/val')"))
    assert old.filter(regex="label_probe").isna().all(axis=None)


def test_a_number_that_few_have_yet_does_not_lead():
    rows = measured({"mae": 0.5, "u_mae": 0.6, "m_mae": 0.7}, dataset="digits")
    rows = rows[rows.metric == "linear_probe"]
    for methods, lead in ((["mae"], "linear_probe"), (["mae", "m_mae"], "label_probe")):
        mine = rows[rows.method.isin(methods)].replace({"token": {"mean": "mean/val"}})
        board = board_of(pd.concat([rows, mine]))
        assert ranking.leading(board).name == lead
    assert board["method"].tolist() == ["m_mae", "mae", "u_mae"]


def test_a_failed_cell_is_named_and_not_imputed():
    rows = measured()
    failed = (rows.method == "u_mae") & (rows.seed == 0)
    whole = rows[~failed]
    lost = row("world", "u_mae", 0, "", math.nan, token="", status="diverged", view="")
    late = row("world", "u_mae", 5, "", math.nan, token="", status="timeout", view="")
    by = board_of(pd.concat([whole, pd.DataFrame([lost, late])])).set_index("method")
    assert by.loc["u_mae", "coverage"] == "4/6"
    assert by.loc["u_mae", "status"] == (
        "diverged in 1 of 6 seeds (0.03 to 0.6); timeout in 1 of 6 seeds (0.03 to 0.6)"
    )
    assert by.loc["u_mae", "linear_probe_n_seeds"] == 4
    of_whole = board_of(whole).set_index("method")
    assert by.loc["u_mae", "linear_probe"] == of_whole.loc["u_mae", "linear_probe"]
    assert (by.loc["mae", "coverage"], by.loc["mae", "status"]) == ("5/5", "ok")


def test_a_method_that_always_failed_has_a_row_without_numbers():
    lost = [
        row("world", "simclr", seed, "", math.nan, token="", status="error", view="")
        | {"reason": "it cannot be built"}
        for seed in range(5)
    ]
    board = board_of(pd.concat([measured(), pd.DataFrame(lost)]))
    (last,) = [row for _, row in board.iterrows() if row["method"] == "simclr"]
    assert last["coverage"] == "0/5"
    assert last["status"] == "error in 5 of 5 seeds (0.6 to 1): it cannot be built"
    numbers = board.columns[3:-2]
    assert last[numbers].isna().all()
    assert board.set_index("method").loc["mae", "linear_probe_rank_worst"] == 2


def test_a_metric_that_collapsed_or_does_not_apply_is_told_apart():
    rows = measured()
    extra = [
        row("world", "mae", 0, "mcc", math.nan, status="collapsed"),
        row("world", "u_mae", 0, "mcc", math.nan, token="", status="skipped"),
        row("world", "u_mae", 0, "alignment", math.nan, token="", status="error"),
    ]
    by = board_of(pd.concat([rows, pd.DataFrame(extra)])).set_index("method")
    assert (by.loc["mae", "coverage"], by.loc["mae", "status"]) == (
        "4/5",
        "collapsed in 1 of 5 seeds (0.04 to 0.6)",
    )
    assert (by.loc["u_mae", "coverage"], by.loc["u_mae", "status"]) == ("5/5", "ok")


def test_each_dataset_is_sorted_by_its_own_first_headline():
    digits = measured({"mae": 0.2, "u_mae": 0.9, "pixels": 0.95}, dataset="digits")
    digits = digits[digits.metric == "linear_probe"]
    board = board_of(pd.concat([measured(), digits]))
    assert board["dataset"].tolist() == ["digits"] * 3 + ["world"] * 4
    assert board["method"].tolist()[:3] == ["u_mae", "mae", "pixels"]
    assert board.loc[:2, "linear_r2_level_0"].isna().all()


def test_smaller_errors_are_better():
    rows = [
        row(
            "world",
            method,
            seed,
            "reconstruction_error",
            value * (1 + seed / 99),
            "masked",
            token="",
        )
        for method, value in (("mae", 0.5), ("linear_mae", 0.7))
        for seed in range(5)
    ]
    by = board_of(pd.DataFrame(rows)).set_index("method")
    assert by.index.tolist() == ["mae", "linear_mae"]
    # Methods are asked for different patches: their errors are shown, not ranked.
    assert by["reconstruction_error_masked_rank_best"].isna().all()


def test_a_description_is_shown_and_not_ranked():
    rows = [
        row("world", method, seed, "effective_rank", value + seed / 99, "centred")
        for method, value in (("mae", 5.0), ("random_init", 7.0))
        for seed in range(5)
    ]
    by = board_of(pd.DataFrame(rows)).set_index("method")
    assert by.loc["mae", "effective_rank_centred"] == pytest.approx(5.02, abs=0.01)
    assert by["effective_rank_centred_floor"].tolist() == pytest.approx(
        [7.02] * 2, 1e-2
    )
    assert by.filter(regex="effective_rank.*rank_best").isna().all(axis=None)


def test_nothing_measured_gives_an_empty_board_with_columns():
    board = rank({})
    assert board.empty
    assert board.columns.tolist()[:4] == [
        *("dataset", "method", "track", "linear_r2_level_0")
    ]


def test_the_file_does_not_depend_on_the_order_of_rows(tmp_path):
    rows = measured(noise=0.3)
    for n in range(3):
        shuffled = rows.sample(frac=1, random_state=n)
        ranking.write(board_of(shuffled), tmp_path / str(n))
    files = {(tmp_path / str(n) / "leaderboard.csv").read_bytes() for n in range(3)}
    assert len(files) == 1
    assert b"world,oracle_latents," in files.pop()


def test_two_headlines_of_one_column_are_refused():
    def named(name, *targets):
        headlines = tuple(Headline(target, metric=name) for target in targets)
        return replace(mcc, headlines=headlines)

    one, two, third = named("a", "b"), named("a_b", ""), named("c", "d", "e")
    names = [headline.name for headline in ranking.columns_of([third, one])]
    assert names == ["c_d", "c_e", "a_b"]
    with pytest.raises(WrongPart, match=r"metric a_b: .* a column a_b of a;"):
        ranking.columns_of([one, two])


def test_a_number_that_half_of_the_methods_have_is_not_that_of_most():
    board = board_of(measured().query("method in ['mae', 'u_mae']"))
    assert ranking.is_common(board, "linear_probe")
    board.loc[0, "linear_probe"] = math.nan
    assert not ranking.is_common(board, "linear_probe")
