"""Numbers are found by their place, in the order of seeds; what lacks has its fate."""

import pandas as pd
import pytest

from mae_bench.commits.places import ABSENT, NONE, ByPlace, Half, facts
from mae_bench.commits.sides import NUMBER, Side

PLACE = ("quick", "e", "digits", "mae", "", "linear_probe", "unmasked", "mean", "")


def rows(*more: dict) -> pd.DataFrame:
    """A row each, of the place but for what is said."""
    blank = dict(zip(NUMBER, PLACE, strict=True))
    blank |= {"status": "ok", "reason": "", "device": "cpu", "n_eval": 9}
    blank |= {"metric_version": 1, "value": 0.5, "seed": 0}
    return pd.DataFrame([blank | row for row in more])


@pytest.mark.parametrize("kind", ["str", "category"])
def test_a_place_has_its_numbers_seed_by_seed(kind: str) -> None:
    mixed = rows(
        {"seed": 2, "value": 0.2},
        {"seed": 1, "method": "simclr", "value": 0.9},
        {"seed": 0, "value": 0.7},
    ).astype({"method": kind, "device": kind})
    found = ByPlace(mixed, NUMBER)
    assert list(found) == [PLACE, (*PLACE[:3], "simclr", *PLACE[4:])]
    assert found[PLACE].seed.tolist() == [0, 2]
    assert found[PLACE].value.tolist() == [0.7, 0.2]
    assert found.get(("nowhere",), NONE) is NONE
    assert not ByPlace(mixed.iloc[:0], NUMBER)


def test_a_side_is_looked_up_at_every_depth() -> None:
    half = Half(
        Side(
            "a",
            rows(
                {"seed": 0},
                {"seed": 0, "token": "mean/val"},
                {"seed": 0, "metric": "effective_rank"},
                {"seed": 1, "metric": "", "view": "", "token": "", "status": "lost"},
                {"seed": 2, "token": "", "status": "error"},
                {"seed": 3, "status": "diverged", "reason": "at once"},
            ),
        )
    )
    # Neither a read-out's choice nor what has no direction is a number that is held.
    assert list(half.numbers) == [PLACE]
    assert half.devices(PLACE[:5]) == half.devices(PLACE[:7]) == {0: "cpu"}
    fates = [half.fate(PLACE, seed).status for seed in range(1, 5)]
    assert fates == ["lost", "error", "diverged", ABSENT.status]
    assert half.fate(PLACE, 3).reason == "at once"
    assert half.tiers == {PLACE[1:]: "quick"}


def test_a_metric_that_is_unknown_here_is_held_to_be_told_of() -> None:
    assert facts("nothing") is None
    half = Half(Side("a", rows({"metric": "nothing"})))
    assert [place[5] for place in half.numbers] == ["nothing"]
