"""The fields of a file of measurements: a table of text, or why there is none.

Nothing is known here of what they say; ``records.read`` looks at that.
"""

from __future__ import annotations

import csv
import warnings
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import numpy as np
import pandas as pd

from mae_bench.records.rows import COLUMNS
from mae_bench.records.schema import FULL_PRECISION, MIXED_PRECISION, UsageError
from mae_bench.records.words import in_full

# Columns that older files do not have.
_LATER = ("precision", "rounding")


def read_text(path: Path) -> pd.DataFrame:
    """The fields of a file of measurements, as they stand there.

    Raises:
        UsageError: It is no table, or lacks columns.
    """
    return in_full(words_of(path))


def words_of(path: Path) -> pd.DataFrame:
    """The same; where Arrow reads them, each column as its words, see ``Words``."""
    if path.exists() and not path.is_file():
        raise UsageError(f"cannot read {path}: it is no file; take it away")
    try:
        rows = _fields(path)
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror or error}") from error
    except pd.errors.EmptyDataError as error:
        raise UsageError(f"{path} is empty; measure it again") from error
    except (ValueError, pd.errors.ParserWarning) as error:
        _refuse_width(path)
        reason = " ".join(str(error).split())
        raise UsageError(f"{path} is no table of text: {reason}") from error
    lacking = [c for c in COLUMNS if c not in rows and c not in _LATER]
    if lacking:
        raise UsageError(f"{path} lacks {', '.join(lacking)}; measure it again")
    _refuse_names(path)
    if (rows.iloc[:, -1] == "").any():
        _refuse_width(path)  # of a line with too few fields the last ones are empty
    if "precision" not in rows:
        # Files older than the column: a GPU trained in mixed precision, a CPU did not.
        on_gpu = rows["device"].str.startswith("cuda")
        precision = np.where(on_gpu, MIXED_PRECISION, FULL_PRECISION)
        rows.insert(list(rows).index("tier") + 1, "precision", precision)
    if "rounding" not in rows:
        rows.insert(list(rows).index("seed") + 1, "rounding", "0")
    return rows


def _fields(path: Path) -> pd.DataFrame:
    """All fields as text."""
    if (rows := _by_arrow(path)) is not None:
        return rows
    with warnings.catch_warnings():
        # Of a line with too many fields pandas would drop the last ones.
        warnings.simplefilter("error", pd.errors.ParserWarning)
        return pd.read_csv(
            path,
            dtype=str,
            keep_default_na=False,
            index_col=False,
            encoding="utf-8-sig",
        )


def _by_arrow(path: Path) -> pd.DataFrame | None:
    """The same, faster; None without Arrow, or where it objects: pandas says why."""
    try:
        import pyarrow
        from pyarrow import csv as arrow
    except ImportError:
        return None
    try:
        _, header = next(_lines(path), (0, []))
        if len({*header}) < len(header):
            return None
        words = pyarrow.dictionary(pyarrow.int32(), pyarrow.string())
        table = arrow.read_csv(
            path,
            parse_options=arrow.ParseOptions(newlines_in_values=True),
            convert_options=arrow.ConvertOptions(
                column_types=dict.fromkeys(header, words)
            ),
        )
    except (pyarrow.ArrowException, csv.Error):
        return None
    rows: pd.DataFrame = table.unify_dictionaries().to_pandas()
    return rows


def _lines(path: Path) -> Iterator[tuple[int, list[str]]]:
    """The fields of every line that is not empty, with the number of its last line."""
    with path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
        reader = csv.reader(file)
        yield from ((reader.line_num, fields) for fields in reader if fields)


def line_of(path: Path, index: int) -> int:
    """The line of a row of a file, as an editor counts them."""
    return next(islice(_lines(path), index + 1, None), (0, []))[0]


def _refuse_names(path: Path) -> None:
    """Refuse a header that names a column twice, or not at all."""
    _, header = next(_lines(path))
    for name in header:
        if not name or header.count(name) > 1:
            raise UsageError(f"{path}, line 1: column {name!r} is not one of its own")


def _refuse_width(path: Path) -> None:
    """Refuse the first line that is longer or shorter than the header."""
    try:
        width = None
        for number, fields in _lines(path):
            width = width or len(fields)
            if len(fields) != width:
                raise UsageError(
                    f"{path}, line {number}: {len(fields)} fields, and not {width}: "
                    f"{','.join(fields)[:40]!r}"
                )
    except csv.Error as error:
        raise UsageError(f"{path} is no table of text: {error}") from error
    return
