"""New rows find their place; what was not asked for stays, byte for byte."""

import random
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from mae_bench.records.merge import check_writable, merge, write_rows
from mae_bench.records.read import read_rows
from mae_bench.records.schema import UsageError
from mae_bench.records.store import StoreError

Write = Callable[..., Path]
RESULTS = Path(__file__).parent.parent.parent / "results" / "measurements"


def rows(path: Path, **changes: object) -> pd.DataFrame:
    """The rows of a file, with something changed."""
    return read_rows(path).assign(**changes)


def lines(path: Path) -> set[str]:
    return set(path.read_text().splitlines())


def statuses(path: Path) -> list[tuple[str, str]]:
    found = read_rows(path)
    return list(zip(found["metric"], found["status"], strict=True))


def test_rows_that_were_not_asked_for_stay_as_they_stand(write: Write) -> None:
    odd = {"value": "0.5", "train_seconds": "1.50", "reason": 'a "b", c'}
    path = write({"seed": 1, "cell": "a"} | odd, {"cell": "b"})
    before = lines(path)
    merge(rows(path, seed=2, cell="c").iloc[:1], path)
    assert lines(path) > before
    assert len(lines(path)) == len(before) + 1


def test_rows_of_an_equal_cell_metric_and_view_are_replaced_together(
    write: Write,
) -> None:
    path = write({"token": "cls"}, {"token": "mean"}, {"metric": "cka"})
    fresh = rows(path).query("metric == 'mcc' and token == 'cls'")
    merge(fresh.assign(value=0.25, metric_version=2), path)
    found = read_rows(path)
    assert found["metric"].tolist() == ["cka", "mcc"]
    assert found["value"].tolist() == [0.5, 0.25]
    assert found["token"].tolist() == ["mean", "cls"]


def failed(path: Path, status: str, metric: str = "") -> pd.DataFrame:
    """A row that says why there is no number."""
    one = rows(path).iloc[:1]
    none = one.assign(metric=metric, status=status, value=float("nan"), reason="why")
    return none if metric else none.assign(view="", token="", target="")


@pytest.mark.parametrize("status", ["error", "timeout", "out_of_memory", "missing"])
def test_what_failed_replaces_nothing_that_was_finished(
    write: Write, status: str
) -> None:
    path = write({}, {"metric": "cka"})
    merge(rows(path), path)
    before = path.read_bytes()
    merge(failed(path, status, "mcc"), path)
    merge(failed(path, status), path)
    merge(failed(path, "diverged"), path)
    assert path.read_bytes() == before
    merge(failed(path, status, "knn_probe"), path)
    assert statuses(path) == [("cka", "ok"), ("knn_probe", status), ("mcc", "ok")]


def test_what_is_finished_replaces_what_failed(write: Write) -> None:
    path = write({})
    whole, ok = failed(path, "timeout"), rows(path)
    other = failed(path, "error", "cka")
    write_rows(whole, path)
    merge(other, path)
    assert statuses(path) == [("cka", "error")]  # its cell has rows of metrics now
    merge(whole, path)
    assert statuses(path) == [("", "timeout")]
    merge(ok, path)
    assert statuses(path) == [("mcc", "ok")]


def test_a_cell_that_diverged_stays_so_until_it_has_numbers(write: Write) -> None:
    path = write({})
    ok, lost = rows(path), [failed(path, s, "mcc") for s in ("missing", "timeout")]
    write_rows(failed(path, "diverged"), path)
    for fresh in lost:
        merge(fresh, path)
    assert statuses(path) == [("", "diverged")]
    merge(ok, path)
    assert statuses(path) == [("mcc", "ok")]


def test_a_new_factor_is_a_column_and_empty_where_it_was_not_asked(
    write: Write,
) -> None:
    path = write({"mask_ratio": 0.5})
    merge(rows(path, cell="d", lamb=0.1).drop(columns="mask_ratio"), path)
    found = read_rows(path)
    assert list(found)[5:8] == ["lamb", "mask_ratio", "seed"]
    assert found["lamb"].isna().tolist() == [False, True]
    assert found["mask_ratio"].isna().tolist() == [True, False]


@pytest.mark.parametrize("name", ["mask_ratio", "uniformity", "mask_family"])
def test_rows_merged_in_any_pieces_and_order_give_the_same_file(
    tmp_path: Path, name: str
) -> None:
    whole = read_rows(RESULTS / f"{name}.csv")
    cells = sorted(whole["cell"].unique())
    random.Random(0).shuffle(cells)
    path = tmp_path / "measurements" / f"{name}.csv"
    for part in (cells[::3], cells[1::3], cells[2::3], cells[:5]):
        merge(whole[whole["cell"].isin(part)], path)
    assert path.read_bytes() == (RESULTS / f"{name}.csv").read_bytes()


def test_a_file_that_cannot_be_read_is_left_alone(write: Write) -> None:
    path = write({})
    fresh = rows(path)
    path.write_text(path.read_text().replace("mae,", "mae,more,"))
    before = path.read_bytes()
    with pytest.raises(UsageError, match=r"line 2: \d+ fields"):
        merge(fresh, path)
    assert path.read_bytes() == before


def test_a_folder_that_cannot_be_written_is_said_before_anything_is_done(
    tmp_path: Path, write: Write
) -> None:
    fresh = rows(write({}))
    (tmp_path / "file").write_text("mine")
    with pytest.raises(StoreError, match="cannot write"):
        check_writable(tmp_path / "file")
    with pytest.raises(StoreError, match="cannot write"):
        merge(fresh, tmp_path / "file" / "measurements" / "peak.csv")
    check_writable(tmp_path / "new")
    assert not list((tmp_path / "new" / "measurements").iterdir())


MERGING = """
import sys
from pathlib import Path
from mae_bench.records.merge import merge
from mae_bench.records.read import read_rows
path, k = Path(sys.argv[1]), int(sys.argv[2])
one = read_rows(path).iloc[:1]
for seed in range(20):
    merge(one.assign(seed=100 * k + seed, cell=f"{k}-{seed}"), path)
"""


def test_two_writers_lose_nothing_of_each_other(write: Write) -> None:
    path = write({})
    calls = [[sys.executable, "-c", MERGING, str(path), str(k)] for k in (1, 2)]
    running = [subprocess.Popen(call) for call in calls]
    assert [process.wait() for process in running] == [0, 0]
    assert len(read_rows(path)) == 41


def test_folders_that_are_not_there_are_made(write: Write, tmp_path: Path) -> None:
    there = read_rows(write({}))
    path = tmp_path / "a" / "measurements" / "e.csv"
    merge(there, path)
    merge(there, path)
    assert len(read_rows(path)) == len(there)


@pytest.mark.parametrize("levels", [("block", "grid"), (9, 10), (0.5, 10)])
def test_factors_are_sorted_as_words_or_numbers_and_what_is_empty_is_last(
    write: Write, levels: tuple[object, ...]
) -> None:
    low, high = levels
    path = write(*({"level": v, "reason": str(v)} for v in ("", high, low)))
    merged = path.with_name("merged.csv")
    merge(read_rows(path), merged)
    assert read_rows(merged)["reason"].tolist() == [str(low), str(high), ""]
