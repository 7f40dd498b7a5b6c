"""Errors by seed on synthetic rows: direction, gaps, what does not apply."""

import math
from types import SimpleNamespace

import pandas as pd
import pytest

from mae_bench.commits import errors
from mae_bench.records.rows import COLUMNS
from mae_bench.records.schema import UsageError
from mae_bench.verdicts.forecast import Skill
from mae_bench.verdicts.rank import HEADLINES

SHA = "0123456789abcdef" + "0" * 24


def row(method: str, seed: int, metric: str, value: float | None, **other) -> dict:
    facts = {
        "experiment": "leaderboard",
        "dataset": "world",
        "tier": "smoke",
        "metric_version": 2,
        "view": "unmasked",
        "token": "mean",
        "target": "level_0",
        "status": "ok",
        "commit": SHA[:12],
        "dirty": 0.0,
    }
    cell = {"method": method, "seed": seed, "metric": metric, "value": value}
    return dict.fromkeys(COLUMNS, "") | {"rounding": 0} | facts | cell | other


def reconstruction(method: str, seed: int, value: float | None, **other) -> dict:
    facts = {"target": "masked", "token": ""} | other
    return row(method, seed, "reconstruction_error", value, **facts)


def test_less_is_better_whatever_the_metric_says() -> None:
    rows = [row("mae", s, "linear_r2", v) for s, v in ((1, 0.75), (0, -0.5))]
    rows += [reconstruction("mae", s, v) for s, v in ((0, 1.25), (1, 0.3))]
    rows += [row("mae", 0, "linear_r2", 9.0, **{"token": "cls"})]  # noqa: PIE804 (no password)
    rows += [row("mae", 0, "linear_r2", 9.0, view="masked")]
    assert errors.headline_errors(pd.DataFrame(rows)) == {
        ("world", "mae", "linear_r2_level_0/v2"): [1.5, 0.25],
        ("world", "mae", "reconstruction_error_masked/v2"): [1.25, 0.3],
    }


def test_descriptions_have_no_error() -> None:
    assert {h.direction for h in errors.RANKED} == {"max", "min"}
    assert len(errors.RANKED) < len(HEADLINES)


def test_no_error_is_nought_or_below() -> None:
    rows = [row("mae", s, "ceiling_ratio", v) for s, v in enumerate((1.0, 1.0886, 0.5))]
    (found,) = errors.headline_errors(pd.DataFrame(rows)).values()
    assert found == [errors.LEAST, errors.LEAST, 0.5]


@pytest.mark.parametrize("status", ["diverged", "timeout", "missing", "error"])
def test_a_seed_that_failed_takes_its_series_with_it(status: str) -> None:
    rows = [row("mae", s, "mcc", 0.5) for s in range(4)]
    lost = {"token": "", "target": "", "view": "", "status": status}
    rows += [row("mae", 4, "", None, **lost), row("u_mae", 0, "mcc", 0.25)]
    assert errors.headline_errors(pd.DataFrame(rows)) == {
        ("world", "mae", "mcc_level_0/v2"): None,
        ("world", "u_mae", "mcc_level_0/v2"): [0.75],
    }


def test_a_failure_is_none_of_what_does_not_apply() -> None:
    lost = {"token": "", "target": "", "view": "", "status": "diverged"}
    skipped = {"token": "", "target": "", "status": "skipped"}
    rows = [reconstruction("mae", s, 1.0) for s in (0, 1)]
    rows += [row("simclr", 0, "", None, **lost)]
    rows += [row("simclr", 1, "reconstruction_error", None, **skipped)]
    assert list(errors.headline_errors(pd.DataFrame(rows))) == [
        ("world", "mae", "reconstruction_error_masked/v2")
    ]


def test_an_instrument_that_moved_starts_a_new_series() -> None:
    names = {errors.label(HEADLINES[0], version) for version in (1, 2)}
    assert len(names) == 2


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"commit": "f" * 12}, "by the code of 0123456789ab, ffffffffffff, not of"),
        ({"dirty": 1.0}, "by changed code"),
        ({"tier": "quick"}, "in tier quick, not smoke"),
    ],
)
def test_rows_of_another_commit_are_refused(change: dict, reason: str) -> None:
    good = row("mae", 0, "mcc", 0.5)
    rows = pd.DataFrame([good, row("mae", 1, "mcc", 0.5, **change)])
    with pytest.raises(UsageError, match=reason):
        errors.of_commit(rows, SHA, "smoke")
    errors.of_commit(pd.DataFrame([good]), SHA, "smoke")
    missing = row("mae", 1, "mcc", None, commit="", status="missing")
    errors.of_commit(pd.DataFrame([good, missing]), SHA, "smoke")


def theory(experiment: str | None) -> SimpleNamespace:
    forecast = experiment and SimpleNamespace(experiment=SimpleNamespace(id=experiment))
    return SimpleNamespace(forecast=forecast)


def test_a_gap_is_one_less_the_forecasts_skill_of_each_seed_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def skill(forecast: SimpleNamespace, measured: dict) -> Skill:
        (rows,) = measured.values()
        assert len(rows) == 1
        return Skill(
            rows["value"].item() if forecast.experiment.id == "grid" else math.nan
        )

    monkeypatch.setattr(errors, "forecast_skill", skill)
    taus = enumerate((1.0, 0.25, -1.0))
    rows = pd.DataFrame(row("mae", seed, "mcc", tau) for seed, tau in taus)
    theories = {
        "says": theory("grid"),
        "fails": theory("other"),
        "unmeasured": theory("elsewhere"),
        "silent": theory(None),
    }
    assert errors.forecast_gaps({"grid": rows, "other": rows}, theories) == {
        ("says",): [errors.LEAST, 0.75, 2.0],
        ("fails",): None,
    }
