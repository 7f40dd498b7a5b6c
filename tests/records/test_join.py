"""What agrees is joined, what does not is named, and then nothing is written."""

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from mae_bench.records.folders import note, settings_of
from mae_bench.records.join import join
from mae_bench.records.merge import write_rows
from mae_bench.records.read import read_rows
from mae_bench.records.schema import UsageError

Write = Callable[..., Path]
NAME = "measurements/table.csv"


@pytest.fixture
def rows(write: Write) -> pd.DataFrame:
    path = write({"cell": "a"}, {"cell": "b"}, {"cell": "b", "metric": "cka"})
    return read_rows(path)


def put(folder: Path, rows: pd.DataFrame, name: str = NAME) -> Path:
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    write_rows(rows, folder / name)
    return folder


def files(folder: Path) -> dict[str, bytes]:
    found = {p for p in folder.rglob("*") if p.is_file()}
    return {str(p.relative_to(folder)): p.read_bytes() for p in found}


def test_parts_are_the_whole_byte_for_byte(tmp_path: Path, rows: pd.DataFrame) -> None:
    whole = put(tmp_path / "whole", rows)
    a = put(tmp_path / "a", rows.query("cell == 'a'"))
    b = put(tmp_path / "b", rows.query("cell == 'b'"))
    for order in ([a, b], [b, a], [a, b, b], [whole, a]):
        out = tmp_path / f"out{len(list(tmp_path.iterdir()))}"
        assert [*join(order, out)] == ["table"]
        assert (out / NAME).read_bytes() == (whole / NAME).read_bytes()


def test_what_is_there_is_joined_too(tmp_path: Path, rows: pd.DataFrame) -> None:
    out = put(tmp_path / "out", rows.query("cell == 'a'"))
    join([put(tmp_path / "b", rows.query("cell == 'b'"))], out)
    assert len(read_rows(out / NAME)) == 3
    join([out], out)
    assert len(read_rows(out / NAME)) == 3


def test_rows_of_one_number_agree_whatever_they_took(
    tmp_path: Path, rows: pd.DataFrame
) -> None:
    a = put(tmp_path / "a", rows.assign(train_seconds=1.0, commit="here"))
    b = put(tmp_path / "b", rows.assign(train_seconds=2.0, commit="there"))
    join([a, b], tmp_path / "out")
    assert set(read_rows(tmp_path / "out" / NAME)["commit"]) == {"here"}


@pytest.mark.parametrize("first", ["a", "b"])
def test_what_is_finished_outdoes_what_failed(
    tmp_path: Path, rows: pd.DataFrame, first: str
) -> None:
    failed = rows.assign(status="timeout", value=float("nan"), reason="ran over 9 s")
    a, b = put(tmp_path / "a", failed), put(tmp_path / "b", rows)
    join([a, b] if first == "a" else [b, a], tmp_path / "out")
    assert (tmp_path / "out" / NAME).read_bytes() == (b / NAME).read_bytes()


def contradicting(rows: pd.DataFrame, how: str) -> pd.DataFrame:
    other = rows.copy()
    if how == "value":
        other.loc[other["cell"] == "a", "value"] += 0.25
    elif how == "version":
        other["metric_version"] += 1
    elif how == "lacks":
        other.loc[other["cell"] == "a", "token"] = "cls"
    else:
        end = rows.query("cell == 'a'").assign(metric="", view="", token="", target="")
        end = end.assign(status="diverged", value=float("nan"), reason="no number")
        other = pd.concat([end, other.query("cell != 'a'")])
    return other


@pytest.mark.parametrize("how", ["value", "version", "lacks", "diverged"])
@pytest.mark.parametrize("turned", [False, True])
def test_a_contradiction_is_named_by_file_and_cell(
    tmp_path: Path, rows: pd.DataFrame, how: str, *, turned: bool
) -> None:
    a, b = put(tmp_path / "a", rows), put(tmp_path / "b", contradicting(rows, how))
    out = put(tmp_path / "out", rows.assign(cell="c"))
    before = files(tmp_path)
    with pytest.raises(
        UsageError, match=r"contradict each other on cell [ab]: "
    ) as told:
        join([b, a] if turned else [a, b], out)
    assert str(a / NAME) in str(told.value)
    assert str(b / NAME) in str(told.value)
    assert files(tmp_path) == before


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"tier": "quick"}, "tiers: quick .*smoke"),
        ({"precision": "bf16-mixed"}, "precisions: 32-true .*bf16-mixed"),
        ({"device": "cuda H200"}, "kinds of device: cpu .*cuda"),
    ],
)
def test_rows_that_are_kept_apart_are_refused(
    tmp_path: Path, rows: pd.DataFrame, change: dict[str, str], name: str
) -> None:
    rows = rows.assign(tier="smoke", precision="32-true", device="cpu x")
    a = put(tmp_path / "a", rows)
    b = put(tmp_path / "b", rows.assign(cell="c", **change), "measurements/other.csv")
    with pytest.raises(UsageError, match=f"mixes {name}"):
        join([a, b], tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_settings_of_ones_own_go_along_or_are_refused(
    tmp_path: Path, rows: pd.DataFrame
) -> None:
    a = put(tmp_path / "a", rows.query("cell == 'a'"))
    b = put(tmp_path / "b", rows.query("cell == 'b'"))
    note(a, ["method.steps=9"])
    with pytest.raises(UsageError, match=r"other settings \(method.steps=9; none\)"):
        join([a, b], tmp_path / "out")
    assert not (tmp_path / "out").exists()
    note(b, ["method.steps=9"])
    join([a, b], tmp_path / "out")
    assert settings_of(tmp_path / "out") == ["method.steps=9"]


def test_a_folder_without_results_is_named(tmp_path: Path, rows: pd.DataFrame) -> None:
    a = put(tmp_path / "a", rows)
    with pytest.raises(UsageError, match=r"no .*gone.*measurements"):
        join([a, tmp_path / "gone"], tmp_path / "out")
    (tmp_path / "empty" / "measurements").mkdir(parents=True)  # a share of no cells
    join([a, tmp_path / "empty"], tmp_path / "out")
    with pytest.raises(UsageError, match="no measurements in"):
        join([tmp_path / "empty"], tmp_path / "new")


def test_an_unreadable_row_is_named_by_its_line(
    tmp_path: Path, rows: pd.DataFrame
) -> None:
    a = put(tmp_path / "a", rows)
    text = (a / NAME).read_text().replace(",ok,", ",okay,", 1)
    (a / NAME).write_text(text)
    with pytest.raises(UsageError, match=r"table.csv, line 2: status 'okay'"):
        join([a], tmp_path / "out")
