import math

import pandas as pd
import pytest

from mae_bench.records import registry
from mae_bench.verdicts.own import OwnVerdicts, judge_own
from mae_bench.verdicts.own_words import interval_of, notes_of, render

NOISE = (0.3, -0.2, 0.1, -0.3, 0.1)


@pytest.fixture(scope="module")
def found() -> OwnVerdicts:
    rows = [
        (seed, ratio, "linear_r2", "level_0", 1 - ratio + NOISE[seed] / 50 * ratio)
        for seed in range(5)
        for ratio in (0.25, 0.5, 0.75)
    ]
    columns = ["seed", "mask_ratio", "metric", "target", "value"]
    theories = registry.load_all("theories", ["visible_share", "average_distance"])
    return judge_own(theories, pd.DataFrame(rows, columns=columns))


def test_every_verdict_is_told_in_80_columns(found: OwnVerdicts) -> None:
    text = render(found)
    lines = text.splitlines()
    assert max(map(len, lines)) <= 80
    assert lines[0] == "visible_share: none: the null hypothesis of this benchmark"
    assert lines[1].split() == [
        *("verdict", "estimate", "(interval)", "margin", "n", "more"),
    ]
    number, word, estimate, *_, margin, n, more = lines[2].split()
    assert (number, word, margin, n, more) == ("N1", "supported", "0.02", "5", "0")
    assert float(estimate) == pytest.approx(0.5, abs=0.01)
    flat = " ".join(text.split())
    for said in (
        "the more of an image is visible in training, the better the encoder",
        "no control: these rows have none",
        "read: 15 rows: mask_ratio 0.25, 0.5, 0.75; target level_0",
        "unknown: whether trainings have converged",
        "A verdict is about the setting of these rows",
        "margins are the predictions' own",
        "no order on mask_unit_by_patch_size of",
        "Not judged, 1, and what is missing:",
        "of numbers that are not there, 1: linear_probe 1",
    ):
        assert said in flat
    named = render(found, whole=True)
    assert "average_distance/A1: metric linear_probe" in named
    assert "chosen before the rows were seen" in " ".join(named.split())
    assert "chosen before" not in flat


def test_what_is_not_known_has_no_number() -> None:
    row = {"ci_low": math.nan, "ci_high": math.nan}
    assert interval_of(row) == "no interval"
    said = {
        **row,
        "kind": "reversed",
        "reason": "too few",
        "e_value": math.nan,
        "control_verdict": "undecided",
        "control": "method random_init",
        "unit": "mcc",
    }
    empty = dict.fromkeys(("location", "conditions", "read", "assumed", "unknown"), "")
    assert list(notes_of({**said, **empty})) == [
        ("refuted", "reversed"),
        ("why", "too few"),
        ("control", "undecided: method random_init"),
        ("unit", "mcc"),
    ]
