"""Folders of results that were measured apart -> one, with every row checked.

What several of them say alike is one row; what they contradict each other on is named,
and nothing is written.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from pathlib import Path

import pandas as pd
from filelock import FileLock

from mae_bench.records import folders
from mae_bench.records.fields import read_text
from mae_bench.records.merge import GROUP, finished, together, write_text
from mae_bench.records.read import refuse_mixture, typed
from mae_bench.records.rows import COLUMNS, FACTS, IDENTITY
from mae_bench.records.schema import UsageError
from mae_bench.records.store import StoreError


@dataclass(frozen=True)
class _Table:
    """The fields of a file, with the file that each row is from in ``_FROM``."""

    path: Path
    text: pd.DataFrame


_FROM, _THEN = "file", "_then"


def join(sources: Sequence[Path], target: Path) -> dict[str, pd.DataFrame]:
    """Put the measurements of folders into one.

    Args:
        sources: Folders of results; of rows that agree, those of an earlier one stay.
        target: Where to; what is there already is a source too, the last.

    Returns:
        Experiment -> the fields of its rows.

    Raises:
        UsageError: A folder is not there, or a row cannot be; rows are of several
            tiers, precisions, kinds of device or settings, or contradict each other.
        StoreError: The disk does not take it.
    """
    named = dict.fromkeys(Path(s) for s in sources)
    for folder in named:
        if not (folder / "measurements").is_dir():
            raise UsageError(f"no {folder / 'measurements'}: {folder} has no results")
    known = {folder.resolve() for folder in named}
    again = folders.measured(target) and target.resolve() not in known
    every = [*named, target] if again else [*named]
    settings = _settings(every)
    joined = {name: _joined(tables) for name, tables in _tables(every).items()}
    if not joined:
        raise UsageError(f"no measurements in {' or '.join(map(str, every))}")
    folder = target / "measurements"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with FileLock(folder / ".lock"):
            folders.note(target, settings)
            for name, rows in joined.items():
                write_text(rows, folder / f"{name}.csv")
    except OSError as error:
        if isinstance(error, StoreError):
            raise
        raise StoreError(f"cannot write {folder}: {error.strerror or error}") from error
    return joined


def _settings(every: Sequence[Path]) -> list[str]:
    """The settings of one's own that all folders share."""
    found = {f: folders.settings_of(f) for f in every if folders.measured(f)}
    first = next(iter(found), None)
    for folder, words in found.items():
        assert first is not None
        if words != found[first]:
            said = [" ".join(w) or "none" for w in (found[first], words)]
            raise UsageError(
                f"{first} and {folder} have rows of other settings ({said[0]}; "
                f"{said[1]}); keep them apart"
            )
    return found[first] if first is not None else []


def _tables(every: Sequence[Path]) -> Mapping[str, list[_Table]]:
    """Experiment -> its files, each row of them checked."""
    found: dict[str, list[_Table]] = {}
    checked = {}
    for folder in every:
        for path in sorted((folder / "measurements").glob("*.csv")):
            text = read_text(path)
            checked[str(path)] = rows = typed(text, path)
            table = _Table(path, text.loc[rows.index].assign(**{_FROM: str(path)}))
            found.setdefault(path.stem, []).append(table)
    refuse_mixture(checked, "what is to be merged")
    return found


def _joined(tables: Sequence[_Table]) -> pd.DataFrame:
    """The rows of one experiment."""

    def both(first: pd.DataFrame, then: pd.DataFrame) -> pd.DataFrame:
        _refuse_contradiction(first, then)
        return together(there=then, fresh=first)

    return reduce(both, [table.text for table in tables]).drop(columns=_FROM)


def _refuse_contradiction(first: pd.DataFrame, then: pd.DataFrame) -> None:
    """Name a finished number, or end, on which two tables do not agree."""
    one, other = (rows[finished(rows)] for rows in (first, then))
    for ended, rows in ((one, other), (other, one)):
        ends = ended[ended["metric"] == ""]
        of_them = rows[(rows["metric"] != "") & rows["cell"].isin(ends["cell"])]
        if len(of_them):
            end = ends[ends["cell"] == of_them.iloc[0]["cell"]]
            _contradict(end.iloc[0], of_them.iloc[0])
    factors = {*first, *then} - {*COLUMNS, _FROM}
    lines = [c for c in first if c in {*IDENTITY, *factors} and c in then]
    groups = one[GROUP].drop_duplicates().merge(other[GROUP].drop_duplicates())
    left, right = (
        rows[[*lines, *FACTS]].merge(groups, on=GROUP) for rows in (one, other)
    )
    pairs = left.merge(right, on=lines, how="outer", suffixes=("", _THEN)).fillna("")
    theirs = [f"{fact}{_THEN}" for fact in FACTS]
    apart = pairs[(pairs[[*FACTS]].to_numpy() != pairs[theirs].to_numpy()).any(axis=1)]
    if len(apart):
        row = apart.iloc[0]
        again = row[[*lines, *theirs]].rename(lambda name: name.removesuffix(_THEN))
        # Of a row that one table lacks, the table is named all the same.
        _contradict(row, again, first[_FROM].iloc[0], then[_FROM].iloc[0])


def _contradict(row: pd.Series, other: pd.Series, *files: str) -> None:
    """Say where two rows of a cell are, and what each says.

    Raises:
        UsageError: Always.
    """
    places = files or (row[_FROM], other[_FROM])
    named = other if other["metric"] else row
    what = " ".join(str(named[c]) for c in IDENTITY if named[c] and c != "cell")
    versions = [str(r["metric_version"]) for r in (row, other)]
    said = [str(r["value"] or r["status"] or "no such row") for r in (row, other)]
    if said[0] == said[1]:
        said = [f"{word} (version {v})" for word, v in zip(said, versions, strict=True)]
    raise UsageError(
        f"{places[0]} and {places[1]} contradict each other on cell {row['cell']}: "
        f"{what}: {said[0]} and {said[1]}"
    )
