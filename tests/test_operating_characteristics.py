"""The simulated truths are where they should be, and the table says what was found."""

import math
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from benchmarks import operating_characteristics as operating
from benchmarks.planted_truths import BOUND, FORMS, LOOKS, NOISES, broken, noise, sample
from mae_bench.predictions._two_sided import TwoSided
from mae_bench.records import registry

RESULTS = Path(__file__).parent.parent / "results"


@pytest.mark.parametrize("kind", NOISES)
def test_noise_has_mean_0_and_spread_1(kind: str) -> None:
    drawn = noise(kind, (200_000, 1), np.random.default_rng(0))
    assert abs(drawn.mean()) < 0.02
    assert drawn.std() == pytest.approx(1, abs=0.1)
    skew = ((drawn / drawn.std()) ** 3).mean()
    assert np.sign(round(skew, 0)) in {"skewed up": [1], "skewed down": [-1]}.get(
        kind, [-1, 0, 1]
    )


def test_every_form_has_its_planted_truth() -> None:
    named = {type(planted.form).__name__.lower() for planted in FORMS.values()}
    assert named | {"bound"} == set(registry.names("predictions"))
    assert type(BOUND).__name__ == "Bound"


@pytest.mark.parametrize("name", FORMS)
def test_a_margin_lies_so_many_sd_from_the_mean_of_the_part_that_is_hardest(
    name: str,
) -> None:
    planted, rng = FORMS[name], np.random.default_rng(1)
    drawn = sample(planted, "gaussian", 80, rng)
    parts = planted.form.parts(drawn.effects)
    assert len(drawn.effects) == drawn.draws * LOOKS
    margin, spread = drawn.margin(planted.form, 2.0), parts.std(axis=0, ddof=1)
    if isinstance(planted.form, TwoSided):
        mean = abs(parts.mean())
        assert margin - mean == pytest.approx(2 * spread[0])
        return
    distance = (parts.mean(axis=0) - margin) / spread
    assert distance[drawn.part] == pytest.approx(2)
    if name != "peak":  # of its levels one is enough
        assert distance.argmin() == drawn.part


def test_looks_are_at_the_seeds_that_are_whole() -> None:
    drawn = sample(FORMS["contrast"], "missing", 30, np.random.default_rng(2))
    share = len(drawn.effects) / (30 * LOOKS)
    assert share == pytest.approx(0.81, abs=0.05)
    looks = [*drawn.each()]
    assert len(looks) == 30
    for draw, look in enumerate(looks):
        seeds = look.after(10).index - draw * LOOKS
        assert set(seeds) <= set(range(10))
        sizes = [len(effects) for effects in look.until(LOOKS)]
        assert sizes == list(range(4, len(look.effects) + 1))


def test_a_bound_is_broken_in_the_share_of_seeds_that_is_asked_for() -> None:
    rows = broken("gaussian", 2000, 0.5, np.random.default_rng(3))
    effects = BOUND.effects(rows)
    assert (effects["slack"] < 0).mean() == pytest.approx(0.5, abs=0.04)


def test_judging_is_timed_on_all_rows_of_a_folder(tmp_path: Path) -> None:
    (tmp_path / "measurements").mkdir()
    shutil.copy(RESULTS / "measurements" / "symmetry.csv", tmp_path / "measurements")
    rows = pd.read_csv(RESULTS / "measurements" / "symmetry.csv")
    found = operating.cost(tmp_path)
    assert found.stopping == f"{len(rows)} rows"
    assert 0 < found.value < 60


def test_the_table_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # The whole takes minutes.
    monkeypatch.setattr(operating, "NOISES", ("gaussian",))
    monkeypatch.setattr(operating, "cost", operating.nulls)
    folders = ["--results", str(RESULTS), "--output", str(tmp_path)]
    operating.main(["--draws", "5", *folders])
    table = pd.read_csv(tmp_path / "operating.csv")
    assert [*table] == [*operating.Found.__annotations__]
    assert set(table["met"]) <= {"yes", "no"}
    clear = table[table["quantity"] == "supported where clearly true"]
    assert set(clear["form"]) == {*FORMS, "bound"}
    assert (clear["value"] == 1).all()
    assert set(clear["draws"]) == {5, 2}
    assert "planted nulls supported" in set(table["quantity"])


def test_a_goal_is_met_or_missed_by_what_was_found() -> None:
    place = ("what", "form", "gaussian", "5 seeds")
    found = operating.Found.share(place, "<= 0.05", [True] + 19 * [False])
    assert (found.value, found.met, found.draws) == (0.05, "yes", 20)
    assert found.error == pytest.approx(math.sqrt(0.05 * 0.95 / 20))
    assert operating.Found.share(place, "<= 0.05", [True, False]).met == "no"
    assert operating.Found.share(place, ">= 0.95", [True, False]).met == "no"
