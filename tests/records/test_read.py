"""What is read is what was written; what cannot be is one line with its place."""

import math
import os
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from mae_bench.records import fields
from mae_bench.records.read import (
    read_measurements,
    read_rows,
    read_words,
    refuse_unlike,
)
from mae_bench.records.rows import COLUMNS, matching
from mae_bench.records.schema import UsageError
from mae_bench.records.words import in_full

Write = Callable[..., Path]
RESULTS = Path(__file__).parent.parent.parent / "results"


def test_measurements_are_read_back_by_experiment(write: Write) -> None:
    path = write(
        {"value": 0.1 + 0.2, "mask_ratio": 0.1, "mask_family": "grid", "lamb": ""},
        {"seed": 4, "mask_ratio": 0.5, "mask_family": "", "lamb": "", "dirty": False},
    )
    found = read_measurements(path.parent)
    assert list(found) == ["mask_ratio"]
    rows = found["mask_ratio"]
    first = rows.iloc[0]
    assert first["value"] == 0.1 + 0.2
    assert (first["token"], first["reason"]) == ("mean", "")
    assert (first["seed"], first["mask_ratio"], first["mask_family"]) == (
        3,
        0.1,
        "grid",
    )
    assert matching(rows, {"dirty": False})["seed"].tolist() == [4]
    assert math.isnan(first["lamb"])
    assert rows["mask_family"].tolist() == ["grid", ""]


def test_rows_in_words_are_the_rows_and_their_text_is_kept_once(write: Write) -> None:
    path = write(*({"seed": s, "mask_family": f} for s, f in enumerate(["a", "", "a"])))
    rows, words = read_rows(path), read_words(path)
    assert {str(words[c].dtype) for c in ("mask_family", "versions")} == {"category"}
    pd.testing.assert_frame_equal(in_full(words), rows)


def test_only_the_experiments_that_are_named_are_read(write: Write) -> None:
    folder = write({}, name="one.csv").parent
    (folder / "two.csv").write_text("no table")
    assert list(read_measurements(folder, names=["one", "three"])) == ["one"]


def test_truth_values_are_a_factor_like_numbers(write: Write) -> None:
    rows = read_rows(write({"diagonal": True}, {"seed": 4, "diagonal": False}))
    assert matching(rows, {"diagonal": False})["seed"].tolist() == [4]


def test_an_absent_file_is_named_and_an_absent_folder_is_empty(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"no .*peak\.csv; measure"):
        read_rows(tmp_path / "peak.csv")
    assert read_measurements(tmp_path / "nowhere") == {}


def test_a_file_without_rows_is_a_table_of_none(write: Write) -> None:
    path = write({})
    path.write_text(path.read_text().splitlines()[0])
    assert len(read_rows(path)) == 0


def test_a_file_older_than_the_precision_is_read_by_its_device(write: Write) -> None:
    path = write({}, {"seed": 4})
    pd.read_csv(path).drop(columns="precision").to_csv(path, index=False)
    assert set(read_rows(path)["precision"]) == {"32-true"}
    assert list(read_rows(path)) == list(COLUMNS)
    path.write_text(path.read_text().replace("cpu x86_64", "cuda NVIDIA H200"))
    assert set(read_rows(path)["precision"]) == {"bf16-mixed"}


def test_a_file_older_than_the_rounding_has_weights_as_they_are_drawn(
    write: Write,
) -> None:
    path = write({}, {"seed": 4})
    pd.read_csv(path).drop(columns="rounding").to_csv(path, index=False)
    assert set(read_rows(path)["rounding"]) == {0}
    assert list(read_rows(path)) == list(COLUMNS)


def test_windows_line_ends_a_byte_order_mark_and_empty_lines_are_no_matter(
    write: Write,
) -> None:
    path = write({}, {"seed": 4})
    expected = read_rows(path)
    text = path.read_text().replace("\n", "\r\n") + "\r\n"
    path.write_bytes(b"\xef\xbb\xbf" + text.encode())
    pd.testing.assert_frame_equal(read_rows(path), expected)


def test_equal_rows_are_one_whatever_else_differs(write: Write) -> None:
    path = write({}, {"commit": "abc", "train_seconds": 9.0}, {"seed": 4})
    assert read_rows(path)["seed"].tolist() == [3, 4]


BAD: dict[str, tuple[dict[str, object], str]] = {
    "half a seed": ({"seed": "0.5"}, "line 3: seed '0.5' is no whole number"),
    "a large seed": ({"seed": "1e308"}, "line 3: seed '1e308' is no whole"),
    "a negative seed": ({"seed": -1}, "line 3: seed '-1' is no whole number"),
    "no seed": ({"seed": ""}, "line 3: seed '' is no whole number"),
    "a worded value": ({"value": "high"}, "line 3: value 'high' is no finite number"),
    "infinity": ({"value": "inf"}, "line 3: value 'inf' is no finite number"),
    "not a number": ({"value": "nan"}, "line 3: value 'nan' is no finite number"),
    "an absurd value": ({"value": "1e308"}, "line 3: value '1e308' is no finite"),
    "no value": ({"value": ""}, "line 3: value '' does not go with status"),
    "a failure's value": ({"status": "error"}, "line 3: value '0.500000' does not go"),
    "a foreign status": ({"status": "fine"}, "line 3: status 'fine' is no status"),
    "infinite seconds": ({"train_seconds": "inf"}, "line 3: train_seconds 'inf'"),
    "a worded version": ({"metric_version": "v1"}, "line 3: metric_version 'v1'"),
    "half an image": ({"n_eval": "0.5"}, "line 3: n_eval '0.5' is no whole number"),
    "a doubtful truth": ({"dirty": "maybe"}, "line 3: dirty 'maybe' is neither"),
    "an infinite level": ({"lamb": "inf"}, "line 3: lamb 'inf' is no level"),
    "a level nan": ({"lamb": "nan"}, "line 3: lamb 'nan' is no level"),
    "two tiers": ({"tier": "smoke"}, "line 3: tier 'smoke' is not 'quick', as above"),
    "two precisions": ({"precision": "bf16-mixed"}, "line 3: precision 'bf16-mixed'"),
}


@pytest.mark.parametrize("fault", BAD)
def test_a_field_that_cannot_be_is_named_with_its_line(
    write: Write, fault: str
) -> None:
    change, message = BAD[fault]
    path = write({"lamb": 0.1}, {"seed": 4, "lamb": 0.2} | change, {"seed": 5})
    with pytest.raises(UsageError, match=message) as refused:
        read_rows(path)
    assert str(path) in str(refused.value)
    assert "\n" not in str(refused.value)


def test_without_arrow_the_same_is_read_and_the_same_refused(
    write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = write({"reason": 'a "word", and\nmore', "value": ""} | {"status": "error"})
    paths = {"good": good.rename(good.with_name("good.csv"))}
    for fault, (change, _) in BAD.items():
        path = write({"lamb": 0.1}, {"seed": 4, "lamb": 0.2} | change)
        paths[fault] = path.rename(path.with_name(f"{fault}.csv"))

    def said(path: Path) -> str:
        try:
            return str(read_rows(path).to_dict("records"))
        except UsageError as error:
            return str(error)

    with_arrow = {fault: said(path) for fault, path in paths.items()}
    monkeypatch.setattr(fields, "_by_arrow", lambda _: None)
    assert {fault: said(path) for fault, path in paths.items()} == with_arrow
    assert sum("line 3" in words for words in with_arrow.values()) == len(BAD)


def test_rows_that_contradict_each_other_are_both_named(write: Write) -> None:
    path = write({"seed": 1}, {}, {"seed": 2}, {"value": "0.444000"})
    message = r"lines 3 and 5 contradict each other: digits mae 3 .*: 0.5 and 0.444"
    with pytest.raises(UsageError, match=message):
        read_rows(path)
    path = write({"lamb": 1}, {"lamb": 2, "value": "0.444000"})
    assert len(read_rows(path)) == 2  # of two levels of a factor
    path = write({}, {"metric_version": 2})
    with pytest.raises(UsageError, match="lines 2 and 3 contradict each other"):
        read_rows(path)


def broken(path: Path, old: str, new: str) -> Path:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    return path


def test_a_line_counts_line_ends_within_fields(write: Write) -> None:
    path = write({"reason": "two\nlines"}, {"seed": 4, "value": "?"})
    with pytest.raises(UsageError, match=r"line 4: value '\?'"):
        read_rows(path)


def test_files_of_unlike_tiers_or_precisions_are_not_read_together(
    write: Write,
) -> None:
    write({}, name="one.csv")
    folder = write({"tier": "smoke"}, name="two.csv").parent
    message = r"mixes tiers: quick \(one.csv\), smoke \(two.csv\)"
    with pytest.raises(UsageError, match=message):
        read_measurements(folder)
    write({"precision": "bf16-mixed"}, name="two.csv")
    with pytest.raises(UsageError, match="mixes precisions"):
        read_measurements(folder)


@pytest.mark.parametrize("path", sorted(RESULTS.rglob("*.csv")), ids=lambda p: p.stem)
def test_pandas_with_its_defaults_loses_no_value_of_what_we_write(path: Path) -> None:
    plain = pd.read_csv(path)
    strict = pd.read_csv(path, keep_default_na=False, na_values=[""])
    pd.testing.assert_frame_equal(plain, strict)


def test_a_pipe_is_no_file_of_rows(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "leaderboard.csv")
    with pytest.raises(UsageError, match=r"leaderboard\.csv: it is no file"):
        read_measurements(tmp_path)


OURS = {"tier": "quick", "precision": "32-true", "device": "cpu arm64"}


@pytest.mark.parametrize(
    ("column", "other", "message"),
    [
        ("tier", "smoke", "rows of tier quick, and these are of smoke: tiers are"),
        ("precision", "bf16", "rows of precision 32-true, and these are of bf16: prec"),
        ("device", "cuda:0", "rows of device cpu, and these are of cuda: kinds of dev"),
    ],
)
def test_rows_are_not_put_beside_those_of_another_kind(
    write: Write, column: str, other: str, message: str
) -> None:
    path = write({}, {"seed": 4, "device": ""})
    rows = read_rows(path)
    refuse_unlike(rows, path, **OURS)
    refuse_unlike(rows.iloc[:0], path, **(OURS | {column: other}))
    with pytest.raises(UsageError, match=f"{path} has {message}.*--results"):
        refuse_unlike(rows, path, **(OURS | {column: other}))


def test_what_was_run_on_no_device_is_of_no_kind(write: Write) -> None:
    write({}, name="one.csv")
    skipped = {"device": "", "status": "skipped", "value": ""}
    folder = write(skipped, {"seed": 4} | skipped, name="two.csv").parent
    assert list(read_measurements(folder)) == ["one", "two"]
    write({"device": "cuda NVIDIA H200"}, name="two.csv")
    with pytest.raises(
        UsageError, match=r"mixes kinds of device: cpu \(one.csv\), cuda \(two.csv\);"
    ):
        read_measurements(folder)
