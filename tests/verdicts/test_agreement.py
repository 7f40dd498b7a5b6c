import numpy as np
import pandas as pd
import pytest

from mae_bench.records.rows import COLUMNS
from mae_bench.verdicts.agreement import LIMIT, compared, spreads


def rows_of(values: dict[int, float], **changed: object) -> pd.DataFrame:
    """A number for each seed of one point."""
    rows = pd.DataFrame({"seed": list(values), "value": list(values.values())})
    of = dict.fromkeys(COLUMNS, "") | {"experiment": "e", "dataset": "d"}
    of |= {"method": "mae", "metric": "mcc", "target": "level_0", "status": "ok"}
    of |= {"n_eval": 0, "metric_version": 1, "rounding": 0, "view": "unmasked"}
    of |= {"versions": "torch=2", "device": "cpu", "mask_ratio": 0.5, **changed}
    for name, value in of.items():
        if name not in rows:
            rows[name] = value
    rows["cell"] = (
        [f"c{seed}" for seed in values] if "cell" not in changed else rows["cell"]
    )
    return rows


THEIRS = rows_of({0: 0.5, 1: 0.4, 2: 0.6, 3: 0.5})
SPREAD = np.std([0.4, 0.6, 0.5], ddof=1)


def says(value: float, **changed: object) -> str:
    ours = rows_of({0: value}, **changed)
    (word,) = compared({"e": THEIRS}, {"e": ours})["says"]
    return str(word)


def test_on_one_processor_every_digit_counts() -> None:
    assert says(0.5) == "same"
    assert says(0.500001) == "differs"
    assert says(1.5) == "differs"


@pytest.mark.parametrize("share", [0.01, 0.99, 1.01])
@pytest.mark.parametrize("column", ["versions", "device"])
def test_on_another_it_is_held_against_the_spread_of_the_others(
    share: float, column: str
) -> None:
    found = says(0.5 + share * LIMIT * SPREAD, **{column: "another"})
    assert found == ("rounding" if share < 1 else "differs")


def test_a_forged_number_does_not_widen_its_own_limit() -> None:
    theirs = rows_of({0: 50.0, 1: 0.4, 2: 0.6, 3: 0.5})
    ours = rows_of({0: 0.5}, device="another")
    assert list(compared({"e": theirs}, {"e": ours})["says"]) == ["differs"]


def test_where_seeds_say_the_same_one_image_and_the_last_digits_are_rounding() -> None:
    theirs = rows_of({0: 1.0, 1: 1.0, 2: 1.0}, n_eval=100)
    for value, word in ((0.99, "rounding"), (0.7, "differs")):
        ours = rows_of({0: value}, n_eval=100, device="another")
        assert list(compared({"e": theirs}, {"e": ours})["says"]) == [word]


def test_without_a_file_in_common_nothing_is_compared() -> None:
    found = compared({"e": rows_of({0: 1.0})}, {"f": rows_of({0: 1.0})})
    assert found.empty
    assert list(found) == list(compared(*[{"e": rows_of({0: 1.0})}] * 2))


def test_without_other_seeds_nothing_is_known() -> None:
    theirs, ours = rows_of({0: 1.0}), rows_of({0: 1.1}, device="another")
    assert list(compared({"e": theirs}, {"e": ours})["says"]) == ["unknown"]


def test_a_number_against_a_failure_differs_and_words_are_compared() -> None:
    assert says(np.nan, status="error", device="another") == "differs"
    failed = rows_of({0: np.nan}, status="diverged", metric="", device="another")
    found = compared({"e": THEIRS}, {"e": failed})
    assert list(found["says"]) == ["differs", "differs"]
    assert set(found["theirs"]) == {"lacking", 0.5}
    skipped = rows_of({0: np.nan}, status="skipped")
    assert list(compared({"e": skipped}, {"e": skipped})["says"]) == ["same"]


def test_another_factor_is_another_row() -> None:
    found = compared({"e": THEIRS}, {"e": rows_of({0: 0.5}, mask_ratio=0.25)})
    assert list(found["says"]) == ["differs", "differs"]


def test_what_did_not_end_there_is_not_compared() -> None:
    theirs = rows_of({0: np.nan, 1: 0.4, 2: 0.5}, status="ok")
    theirs.loc[0, "status"] = "timeout"
    assert compared({"e": theirs}, {"e": rows_of({0: 0.5})}).empty


def test_spreads_are_pooled_over_points_and_never_across_them() -> None:
    far = rows_of({0: 9.5, 1: 9.4, 2: 9.6}, mask_ratio=0.75)
    (found,) = spreads({"e": pd.concat([THEIRS, far])}, {"c0"})["spread"]
    # Squares of .4, .5, .6 sum to .02, of two degrees; of 9.4, 9.6 as well, of one.
    assert found == pytest.approx(np.sqrt((0.02 + 0.02) / (2 + 1)))


def test_what_the_metric_tells_since_is_not_missed_and_what_others_have_is() -> None:
    more = {"token": "cls"}
    ours = pd.concat([rows_of({0: 0.5}), rows_of({0: 0.7}, **more)])
    assert list(compared({"e": THEIRS}, {"e": ours})["says"]) == ["same"]
    theirs = pd.concat([THEIRS, rows_of({1: 0.6}, **more)], ignore_index=True)
    found = compared({"e": theirs}, {"e": ours})
    assert list(found["says"]) == ["same", "differs"]
    assert list(found["theirs"]) == [0.5, "lacking"]


def test_what_is_apart_is_told_in_spreads() -> None:
    """One row for each, with the number that the page shows."""
    ours = rows_of({0: 0.5 + 3 * SPREAD, 1: 0.4}, device="another")
    found = compared({"e": THEIRS}, {"e": ours})
    others = np.std([0.6, 0.5], ddof=1)
    assert found["spread"].tolist() == pytest.approx([others] * 2)
    assert found["apart"].tolist() == pytest.approx([3 * SPREAD / others, 0.0])
    word = rows_of({0: np.nan}, status="error")
    assert compared({"e": THEIRS}, {"e": word})["apart"].tolist() == [np.inf]
    alone = compared({"e": rows_of({0: 1.0})}, {"e": rows_of({0: 1.1})})
    assert alone["spread"].isna().all()


@pytest.mark.parametrize(
    ("value", "unit"), [(2000.0, 2.0), (-2000.0, 2.0), (1.0, 1e-3), (0.0, 1e-6)]
)
@pytest.mark.parametrize(("units", "word"), [(14, "rounding"), (16, "differs")])
def test_where_seeds_say_the_same_a_thousandth_or_the_last_digit_is_the_measure(
    value: float, unit: float, units: int, word: str
) -> None:
    theirs = rows_of(dict.fromkeys(range(3), value))
    for moved in (value + units * unit, value - units * unit):
        ours = rows_of({0: moved}, device="another")
        found = compared({"e": theirs}, {"e": ours})
        assert found["says"].tolist() == [word]
        assert found["apart"].tolist() == pytest.approx([units], rel=1e-3)


def test_told_to_be_exact_it_is_whatever_rows_say_of_themselves() -> None:
    ours = {"e": rows_of({0: 0.500001}, device="another", versions="other")}
    for exact, word in ((False, "rounding"), (True, "differs")):
        found = compared({"e": THEIRS}, ours, exact=exact)
        assert found["says"].tolist() == [word]


def test_failures_and_cells_that_are_set_apart_have_no_spread() -> None:
    rows = rows_of({0: 9.0, 1: 0.4, 2: 0.6, 3: 7.0})
    rows.loc[3, "status"] = "diverged"
    assert spreads({"e": rows}, {"c0"})["spread"].tolist() == pytest.approx([0.02**0.5])
