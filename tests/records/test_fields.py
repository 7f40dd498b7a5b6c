"""What is no table of measurements is one line that says where and why."""

import warnings
from collections.abc import Callable
from pathlib import Path

import pytest

from mae_bench.records import fields
from mae_bench.records.fields import read_text
from mae_bench.records.rows import COLUMNS
from mae_bench.records.schema import UsageError
from tests.records.test_read import broken

Write = Callable[..., Path]


def test_conflict_markers_and_cut_lines_are_named(write: Write) -> None:
    path = broken(write({}, {"seed": 4}), "\nmask", "\n<<<<<<< HEAD\nmask")
    width = len(COLUMNS)
    message = f"line 2: 1 fields, and not {width}: '<<<<<<< HEAD'"
    with pytest.raises(UsageError, match=message):
        read_text(path)
    path = write({}, {"seed": 4})
    path.write_text(path.read_text()[:-40])
    with pytest.raises(UsageError, match=rf"line 3: \d+ fields, and not {width}"):
        read_text(path)
    path = broken(write({}, {"seed": 4}), "cpu x86_64\n", "cpu x86_64,more\n")
    with pytest.raises(
        UsageError, match=f"line 2: {width + 1} fields, and not {width}"
    ):
        read_text(path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b"a,b\n1,2\n", "lacks experiment, dataset, .*device; measure it again"),
        (b"\xff\xfe\x00a", "is no table of text"),
        (b'"a,b\n1,2\n', "is no table of text|lacks experiment"),
    ],
)
def test_what_is_no_table_of_measurements_is_said_to_be_none(
    tmp_path: Path, content: bytes, message: str
) -> None:
    path = tmp_path / "peak.csv"
    path.write_bytes(content)
    with pytest.raises(UsageError, match=message) as refused:
        read_text(path)
    assert str(path) in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_column_that_stands_there_twice_is_named(write: Write) -> None:
    path = broken(write({"lamb": 1}), "lamb", "seed")
    with pytest.raises(UsageError, match="line 1: column 'seed' is not one of its own"):
        read_text(path)


def test_a_folder_in_the_place_of_a_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "peak.csv").mkdir()
    with pytest.raises(UsageError, match=r"cannot read .*peak\.csv"):
        read_text(tmp_path / "peak.csv")


def test_without_arrow_a_line_too_long_is_refused_whatever_warnings_are_ignored(
    write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = broken(write({}, {"seed": 4}), "cpu x86_64\n", "cpu x86_64,more\n")
    monkeypatch.setattr(fields, "_by_arrow", lambda _: None)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.raises(UsageError, match="line 2: "):
            read_text(path)
