from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from mae_bench.records.own_rows import factors_of, own_rows, read_own, renamed
from mae_bench.records.schema import UsageError

GOOD = "seed,mask_ratio,family,metric,value\n0,0.25,block,mcc,0.5\n1,.5,,mcc,6e-1\n"


def read(tmp_path: Path, text: str) -> pd.DataFrame:
    path = tmp_path / "my.csv"
    path.write_text(text)
    return read_own(path)


def test_a_table_of_text_becomes_rows(tmp_path: Path) -> None:
    rows = read(tmp_path, GOOD)
    assert rows["seed"].tolist() == [0, 1]
    assert rows["value"].tolist() == [0.5, 0.6]
    assert rows["mask_ratio"].tolist() == [0.25, 0.5]
    assert rows["family"].tolist() == ["block", ""]
    assert factors_of(rows) == ["mask_ratio", "family"]
    assert set(rows["dataset"]) == set(rows["experiment"]) == {""}
    assert set(rows["status"]) == {"ok"}
    assert rows["cell"].is_unique


def test_columns_of_measurements_that_say_nothing_are_no_factors(tmp_path: Path):
    text = "seed,lamb,metric,value,commit,tier\n0,1,mcc,1,abc,quick\n"
    rows = read(tmp_path, text)
    assert factors_of(rows) == ["lamb"]
    assert set(rows["tier"]) == {""}


def test_of_measurements_what_failed_is_left_out(tmp_path: Path) -> None:
    text = "seed,metric,value,status\n0,mcc,,skipped\n1,mcc,0.5,ok\n"
    assert read(tmp_path, text)["seed"].tolist() == [1]
    with pytest.raises(UsageError, match="line 3: value 'x'"):
        read(tmp_path, text.replace("0.5", "x"))


def test_a_table_in_memory_is_the_same_as_its_file(tmp_path: Path) -> None:
    said = read(tmp_path, GOOD)
    table = pd.DataFrame(
        {
            "seed": [0, 1],
            "mask_ratio": [0.25, 0.5],
            "family": ["block", None],
            "metric": "mcc",
            "value": [0.5, 0.6],
        }
    )
    pd.testing.assert_frame_equal(own_rows(table), said)


def test_truth_values_and_empty_levels_are_numbers(tmp_path: Path) -> None:
    text = "seed,on,noise,metric,value\n0,True,None,mcc,1\n0,False,0.2,mcc,1\n"
    rows = read(tmp_path, text)
    assert rows["on"].tolist() == [1.0, 0.0]
    assert np.isnan(rows["noise"].iloc[0])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", r"my\.csv is empty"),
        ("seed,metric,value\n", r"my\.csv has no rows"),
        (
            "seed,value\n0,1\n",
            "lacks the column metric, without .*; it has seed, value$",
        ),
        ("seed;metric;value\n0;mcc;1\n", "lacks .* told apart by commas"),
        ("seed,mcc\n0,1\n", "lacks the columns metric, value.* of mcc a line a number"),
        ("a\n1\n", "lacks the columns seed, metric, value"),
        ("seed,metric,value,value\n0,a,1,2\n", "column 'value' is not one of its own"),
        ("seed,metric,value\n0,mcc\n", "line 2: 2 fields, and not 3"),
        ("seed,metric,value\n\n0,mcc,x\n", "line 3: value 'x' is no finite number"),
        ("seed,metric,value\n0,mcc,nan\n", "line 2: value 'nan' is no finite"),
        ("seed,metric,value\n0,mcc,-inf\n", "line 2: value '-inf' is no finite"),
        ("seed,metric,value\n0,mcc,1e200\n", "line 2: value '1e200' is no finite"),
        ("seed,metric,value\n0.5,mcc,1\n", "line 2: seed '0.5' is no whole number"),
        ("seed,metric,value\n-1,mcc,1\n", "line 2: seed '-1' is no whole number"),
        ("seed,metric,value\n0,,1\n", "line 2: metric '' names no metric"),
        ("seed,lamb,metric,value\n0,inf,a,1\n", "lamb 'inf' is no level of a factor"),
        (
            "seed,lamb,metric,value\n0,1,a,1\n0,1.0,a,2\n",
            "line 3: seed 0 metric a lamb 1 is there already, in .*line 2",
        ),
    ],
)
def test_what_cannot_be_is_one_line_that_says_where(tmp_path, text, message):
    with pytest.raises(UsageError, match=message) as error:
        read(tmp_path, text)
    assert "\n" not in str(error.value)


def test_no_file_and_no_text_are_one_line(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"there is no .*absent\.csv"):
        read_own(tmp_path / "absent.csv")
    (tmp_path / "b.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UsageError, match="cannot read"):
        read_own(tmp_path / "b.csv")


def test_a_name_of_ones_own_stands_for_a_metric_and_its_target(tmp_path: Path) -> None:
    rows = read(tmp_path, GOOD)
    found = renamed(rows, {"mcc": ("linear_r2", "level_0")})
    assert set(found["metric"]) == {"linear_r2"}
    assert set(found["target"]) == {"level_0"}
    assert set(renamed(rows, {"mcc": ("linear_r2", "")})["target"]) == {""}
    with pytest.raises(UsageError, match="no row has the metric 'acc'; there are mcc"):
        renamed(rows, {"acc": ("mcc", "")})


def test_a_name_that_doubles_rows_is_refused(tmp_path: Path) -> None:
    rows = read(tmp_path, "seed,metric,value\n0,mcc,1\n0,acc,1\n")
    with pytest.raises(UsageError, match="as acc is named, seed 0 metric mcc is there"):
        renamed(rows, {"acc": ("mcc", "")})
