"""Nearer on synthetic rows."""

import numpy as np
import pandas as pd
import pytest

from mae_bench.predictions.nearer import Nearer

METHODS = {"level": "mae", "near": "pca", "far": "simclr"}
FORM = Nearer(0.1, "method", **METHODS)


def rows_of(**profiles):
    """Values ``[s, targets]`` of each method."""
    return pd.concat(
        pd.DataFrame(table)
        .rename_axis("seed")
        .reset_index()
        .melt("seed", var_name="target", value_name="value")
        .assign(method=method, target=lambda rows: "level_" + rows.target.astype(str))
        for method, table in profiles.items()
    )


def verdict(**profiles):
    return FORM.decide(FORM.effects(rows_of(**profiles)))


def test_the_effect_is_the_difference_of_root_mean_square_distances():
    mae, pca, simclr, other = np.random.default_rng(0).normal(size=(4, 3, 6))
    effects = FORM.effects(rows_of(mae=mae, pca=pca, simclr=simclr, other=other))
    slow = [
        np.sqrt(np.mean((m - s) ** 2)) - np.sqrt(np.mean((m - p) ** 2))
        for m, p, s in zip(mae, pca, simclr, strict=True)
    ]
    assert effects.iloc[:, 0].tolist() == pytest.approx(slow)
    assert effects.index.tolist() == [0, 1, 2]


def test_it_is_supported_refuted_or_open():
    noise = np.random.default_rng(0).normal(0, 0.02, (3, 5, 4))
    like, unlike = np.array([1.0, 0.5, 0.2, 0.0]), np.array([0.0, 0.2, 0.5, 1.0])
    mae, pca, simclr = noise
    assert verdict(mae=mae + like, pca=pca + like, simclr=simclr + unlike) == (
        "supported"
    )
    assert verdict(mae=mae + like, pca=pca + unlike, simclr=simclr + like) == (
        "refuted"
    )
    assert verdict(mae=mae + like, pca=pca + like, simclr=simclr + like) == "refuted"
    assert verdict(mae=mae[:3], pca=pca[:3], simclr=simclr[:3] + 9) == "undecided"


def test_levels_may_be_numbers():
    rows = rows_of(mae=[[1.0, 1.0]], pca=[[1.0, 1.0]], simclr=[[2.0, 0.0]])
    rows["stop"] = rows["method"].map({"mae": 0.5, "pca": 1.0, "simclr": 0.05})
    assert Nearer(0.1, "stop", 0.5, 1, 0.05).effects(rows).iloc[:, 0].tolist() == [1.0]


def test_grids_of_two_sizes_may_name_a_level_apart():
    small = rows_of(a=[[1.0, 1.0]], b=[[1.0, 1.0]], c=[[2.0, 0.0]])
    ratios = {"a": 0.9375, "b": 0.125, "c": 0.75}, {"a": 0.90625, "b": 0.109375}
    form = Nearer(0.1, "mask_ratio", (0.9375, 0.90625), (0.125, 0.109375), 0.75)
    for names in (ratios[0], {**ratios[0], **ratios[1]}):
        rows = small.assign(mask_ratio=small["method"].map(names))
        assert form.effects(rows)["distance"].tolist() == [1.0]


def test_seeds_without_three_whole_profiles_are_left_out():
    table = np.arange(12.0).reshape(4, 3)
    rows = rows_of(mae=table, pca=table, simclr=table + 1)
    rows.loc[(rows.seed == 1) & (rows.target == "level_2"), "value"] = np.nan
    failed = (rows.seed == 2) & (rows.method == "pca")
    rows = rows[~failed | (rows.target == "level_0")]
    failed = (rows.seed == 2) & (rows.method == "pca")
    rows.loc[failed, ["target", "value"]] = ["", np.nan]
    assert FORM.effects(rows).iloc[:, 0].to_dict() == {0: 1.0, 3: 1.0}
    assert FORM.effects(rows[rows.method != "pca"]).empty
    assert FORM.effects(rows[rows.seed == 9]).empty


def test_as_near_to_one_as_to_the_other_is_supported_in_at_most_5_of_100():
    common, *noise = np.random.default_rng(5).normal(size=(4, 2000, 4))
    mae, pca, simclr = common + 0.3 * np.array(noise)
    form = Nearer(0.0, "method", **METHODS)
    effects = form.effects(rows_of(mae=mae, pca=pca, simclr=simclr)).to_numpy()
    found = [form.decide(pd.DataFrame(e)) for e in effects.reshape(-1, 5, 1)]
    assert np.mean([word == "supported" for word in found]) < 0.05


def test_noise_hides_a_likeness_rather_than_making_one():
    noise = np.random.default_rng(0).normal(size=(3, 500, 4))
    shift = np.array([0.0, 0.0, 0.5])[:, None, None]
    effects = [
        FORM.effects(
            rows_of(**dict(zip(("mae", "pca", "simclr"), size * noise + shift)))  # noqa: B905
        )["distance"].mean()
        for size in (0.0, 0.5, 2.0)
    ]
    assert effects[0] == pytest.approx(0.5)
    assert effects[0] > effects[1] > effects[2] > 0


def test_what_cannot_be_compared_is_refused():
    with pytest.raises(ValueError, match="three distinct"):
        Nearer(0.1, "method", "mae", "mae", "pca")
    for level in ((), ("mae", "pca")):
        with pytest.raises(ValueError, match="three distinct"):
            Nearer(0.1, "method", level, "mae", "simclr")
    with pytest.raises(ValueError, match="no factor 'layer'"):
        Nearer(0.1, "layer", 1, 2, 3).effects(rows_of(mae=[[1.0]]))


def test_its_words_name_the_three_levels():
    assert Nearer(0.1, "mask_ratio", (0.06, 0.1), 0.9, 0.5).words == (
        "the distance of mask_ratio 0.06 or 0.1 to 0.5, less that to 0.9, is above 0.1"
    )
