import csv
from pathlib import Path

from mae_bench.commands.outcome import NOT_EVIDENCE, told, words_of

MINE = Path("my_results/quick")


def test_it_counts_and_names_what_is_new() -> None:
    before = {"t/K1": "supported", "t/K2": "undecided", "t/K3": "refuted"}
    after = {"t/K1": "supported", "t/K2": "refuted", "t/K3": "not_measured"}
    assert list(told(before, after, MINE, "quick")) == [
        "3 predictions: 1 supported, 1 refuted, 1 not measured",
        "new: t/K2 refuted",
        "next: mae-bench info t/K2; mae-bench site",
    ]


def test_a_verdict_that_turned_is_new_and_nothing_new_is_said() -> None:
    (_, new, _) = told({"t/K1": "supported"}, {"t/K1": "refuted"}, MINE, "quick")
    assert new == "new: t/K1 refuted"
    (_, new, _) = told({"t/K1": "refuted"}, {"t/K1": "undecided"}, MINE, "quick")
    assert new == "new: nothing is decided that was not"


def test_of_many_some_are_named() -> None:
    after = {f"t/K{n}": "supported" for n in range(7)}
    (_, new, _) = told({}, after, MINE, "quick")
    assert new.endswith("t/K4 supported, and 2 more")


def test_smoke_is_no_evidence_and_a_folder_is_named_where_it_must_be() -> None:
    said = list(told({}, {"t/K1": "supported"}, Path("my_results/smoke"), "smoke"))
    assert NOT_EVIDENCE in said
    assert said[-1] == "next: mae-bench info t/K1 --tier smoke; " + (
        "mae-bench site --tier smoke"
    )
    assert list(told({}, {}, Path("r"), "quick"))[-1] == (
        "next: mae-bench site --results r"
    )


def test_claims_that_are_false_on_purpose_are_not_counted(tmp_path: Path) -> None:
    assert words_of(tmp_path) == {}
    with (tmp_path / "verdicts.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["prediction", "verdict", "standing"])
        table.writerow(["t/K1", "supported", "theorem"])
        table.writerow(["p/null-K1", "refuted", "planted, no control"])
    assert words_of(tmp_path) == {"t/K1": "supported"}
