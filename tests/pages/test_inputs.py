import csv
import math
from pathlib import Path

import pytest

from mae_bench.pages.inputs import COLUMNS, frame, read
from mae_bench.records.schema import UsageError

RESULTS = Path(__file__).parent.parent.parent / "results"


def rows(name: str) -> list[dict[str, str]]:
    with (RESULTS / f"{name}.csv").open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("name", COLUMNS)
def test_a_csv_is_read_and_none_is_no_rows(name: str, tmp_path: Path) -> None:
    assert read(RESULTS / f"{name}.csv") == rows(name)
    assert read(tmp_path / f"{name}.csv") == []


@pytest.mark.parametrize("name", COLUMNS)
def test_a_csv_that_lacks_a_column_is_refused_by_its_name(
    name: str, tmp_path: Path
) -> None:
    words, numbers, _ = COLUMNS[name]
    for lost in (*words, *numbers):
        path = tmp_path / f"{name}.csv"
        path.write_text(",".join({*words, *numbers} - {lost}) + "\n")
        with pytest.raises(UsageError, match=rf"{name}\.csv lacks {lost}; make it"):
            read(path)


def written(path: Path, *changes: dict[str, str]) -> Path:
    """Verdicts, each with something changed."""
    first = rows("verdicts")[0]
    lines = [first | {"prediction": f"a/{i}"} | c for i, c in enumerate(changes)]
    with path.open("w", newline="") as file:
        table = csv.DictWriter(file, first)
        table.writeheader()
        table.writerows(lines)
    return path


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"margin": "about 1"}, "row 3 has as margin 'about 1', which is not a number"),
        ({"margin": "nan"}, "margin 'nan'"),
        ({"margin": "1e999"}, "margin '1e999'"),
        ({"margin": "1_0"}, "margin '1_0'"),
        ({"estimate": "inf"}, "estimate 'inf'"),
    ],
)
def test_what_cannot_be_is_refused_with_its_place(
    tmp_path: Path, change: dict[str, str], said: str
) -> None:
    for reader in (read, frame):
        with pytest.raises(UsageError, match=said):
            reader(written(tmp_path / "verdicts.csv", {}, change))


def test_a_word_without_a_colour_is_not_drawn(tmp_path: Path) -> None:
    path = written(tmp_path / "verdicts.csv", {}, {"verdict": "perhaps"})
    assert len(read(path)) == 2
    with pytest.raises(UsageError, match="row 3 has as verdict 'perhaps'"):
        frame(path)


def test_a_row_that_is_there_twice_is_not_drawn(tmp_path: Path) -> None:
    path = written(tmp_path / "verdicts.csv", {}, {"prediction": "a/0"})
    with pytest.raises(UsageError, match="row 3 is there twice"):
        frame(path)


def test_what_has_no_end_or_is_empty_is_a_number(tmp_path: Path) -> None:
    change = {
        "more_seeds": "inf",
        "asked": "inf",
        "minimum_detectable_effect": "inf",
        "estimate": "",
    }
    (found,) = frame(written(tmp_path / "verdicts.csv", change)).to_dict("records")
    assert found["more_seeds"] == math.inf
    assert math.isnan(found["estimate"])


@pytest.mark.parametrize("ending", [b"a", b"a" + b"," * 99, b'"', b"\xff"])
def test_a_row_that_is_cut_and_what_is_no_text_are_refused(
    tmp_path: Path, ending: bytes
) -> None:
    path = written(tmp_path / "verdicts.csv", {})
    path.write_bytes(path.read_bytes() + ending)
    with pytest.raises(UsageError, match="make it again with mae-bench judge"):
        read(path)


def test_a_header_that_is_there_twice_leaves_rows_without_words(tmp_path: Path) -> None:
    path = written(tmp_path / "verdicts.csv", {})
    header, rest = path.read_text().split("\n", 1)
    path.write_text(f"{header.strip()},{header}\n{rest}")
    with pytest.raises(UsageError, match="row 2 is not as long as the first"):
        read(path)
