import csv
from dataclasses import fields
from pathlib import Path

import pytest

from mae_bench.commands.claims import rows_of
from mae_bench.commands.outcome import NOT_EVIDENCE, told, words_of
from mae_bench.records.ruling import Verdict
from mae_bench.records.schema import UsageError

NULL = {"prediction": "p/null-K1", "standing": "planted, no control"}
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
        table = csv.DictWriter(file, [column.name for column in fields(Verdict)])
        table.writeheader()
        theorem = Verdict(
            prediction="t/K1", theory="t", verdict="supported", standing="theorem"
        )
        table.writerows([vars(theorem), vars(theorem) | NULL])
    assert words_of(tmp_path) == {"t/K1": "supported"}


@pytest.mark.parametrize("content", [b"", b"a,b\n1,2\n", b"prediction\xff"])
def test_verdicts_that_cannot_be_read_say_nothing(
    tmp_path: Path, content: bytes
) -> None:
    (tmp_path / "verdicts.csv").write_bytes(content)
    assert words_of(tmp_path) == {}
    with pytest.raises(UsageError, match="run mae-bench judge"):
        [*rows_of(tmp_path / "verdicts.csv")]
