"""The two sides of a comparison: a results folder, a store or a commit -> tidy rows."""

from __future__ import annotations

import math
import subprocess
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd
from pandas.api.types import union_categoricals

from mae_bench.experiments import Experiment
from mae_bench.records import registry
from mae_bench.records.merge import write_rows
from mae_bench.records.read import read_measurements, read_rows, read_words
from mae_bench.records.rows import COLUMNS, Measurements, over_roundings
from mae_bench.records.schema import (
    PRECISIONS,
    TIERS,
    Cell,
    Precision,
    Setting,
    Tier,
    UsageError,
)
from mae_bench.records.store import Record, Store, parse
from mae_bench.records.words import Words, of_words
from mae_bench.runs.export import Sources, export

# What names a cell of any seed, and a number of it.
CELL = ("tier", "experiment", "dataset", "method", "factors")
NUMBER = (*CELL, "metric", "view", "token", "target")


@dataclass(frozen=True)
class Side:
    """One side of a comparison.

    Args:
        word: How it was asked for.
        rows: Measurements of all experiments; the factors are one text,
            ``mask_ratio=0.75``.
        commit: Full hash, where a commit was asked for; else empty.
    """

    word: str
    rows: pd.DataFrame
    commit: str = ""

    def known(self, column: str) -> list[str]:
        """What a column of the measured rows holds, sorted, without empty."""
        measured = self.rows[self.rows["status"] != "missing"]
        return sorted({str(value) for value in measured[column].unique()} - {""})

    def facts(self) -> dict[str, str]:
        """The side in words: commit, tier, seeds, device."""
        commits = [self.commit[:12]] if self.commit else self.known("commit")
        dirty = " with uncommitted changes" if "True" in self.known("dirty") else ""
        return {
            "side": self.word,
            "commit": ", ".join(commits) + dirty,
            "tier": ", ".join(self.known("tier")),
            "seeds": str(self.rows.loc[self.rows["status"] == "ok", "seed"].nunique()),
            "device": ", ".join(self.known("device")),
        }


def side(word: str, history: Path = Path(".history")) -> Side:
    """Find a side.

    Args:
        word: A folder with ``measurements/*.csv``, a store (a folder with ``cells/``),
            or else a commit, in git's words.
        history: Folder that has the measurements of commits, each under the first 12
            digits of its hash.

    Raises:
        UsageError: It is none of these, has no measurements, or they are not its own.
    """
    folder = Path(word)
    if any((folder / "measurements").glob("*.csv")):
        return Side(word, tidy(read_measurements(folder / "measurements", read_words)))
    if (folder / "cells").is_dir():
        return Side(word, tidy(_laid_out(folder)))
    commit = _commit(word)
    found = Side(word, tidy(_of_commit(commit, word, history)), commit)
    _check_origin(found)
    return found


def tidy(measurements: Measurements) -> pd.DataFrame:
    """All experiments in one table, the factors as one text.

    Raises:
        UsageError: A number stands there twice.
    """
    alone = map(over_roundings, measurements.values())
    tables = [_with_factors(rows) for rows in alone]
    # Of each text a category, whatever the tables have of it.
    words = {c for table in tables for c in of_words(table)}
    found = pd.concat([t.drop(columns=words) for t in tables], ignore_index=True)
    for name in sorted(words):
        columns = [Words.of(table[name]).category() for table in tables]
        found[name] = union_categoricals(columns)
    twice = found.duplicated([*NUMBER, "seed"])
    if twice.any():
        first = found[twice].iloc[0]
        place = " ".join(str(first[c]) for c in (*NUMBER, "seed") if first[c] != "")
        raise UsageError(f"{twice.sum()} rows stand there twice, e.g. {place}")
    return found


def _with_factors(rows: pd.DataFrame) -> pd.DataFrame:
    """The columns of ``Measurement``, the factors as one text."""
    names = [str(column) for column in rows if column not in COLUMNS]
    text: str | pd.Series[str] = ""
    if names and len(rows):
        point = rows.groupby(names, dropna=False, observed=True, sort=False).ngroup()
        points = rows.loc[~point.duplicated(), names].itertuples(index=False, name=None)
        words = pd.Series([_factors(names, p) for p in points], dtype="str")
        text = words.take(point.to_numpy()).set_axis(rows.index)
    return rows[list(COLUMNS)].assign(
        factors=text,
        dirty=Words.of(rows["dirty"]).each(lambda w: (w == 1).map(str)),
        metric_version=rows["metric_version"].fillna(0).astype(int),
    )


def _factors(names: list[str], point: tuple[Setting, ...]) -> str:
    """The factors that are given, in the order of the columns; NaN is not.

    >>> _factors(["mask_ratio", "lamb"], (0.75, ""))
    'mask_ratio=0.75'
    """
    given = zip(names, map(_level, point), strict=True)
    return " ".join(f"{name}={level}" for name, level in given if level)


def _level(value: Setting) -> str:
    """A level alike, whether its column was read as numbers or as text."""
    try:
        number = float(value)  # type: ignore[arg-type]  # None is caught
    except (TypeError, ValueError):
        return str(value)
    return "" if math.isnan(number) else f"{number:.12g}"


def _laid_out(root: Path) -> Measurements:
    """A store's cells as rows of every experiment and tier that it has cells of.

    They go through CSV, so that they are rounded like any other side's.
    """
    store, found = Store(root), {}
    have = set(store.cells())
    with TemporaryDirectory() as scratch:
        path = Path(scratch) / "rows.csv"
        for name, tier, precision in product(
            registry.names("experiments"), TIERS.values(), PRECISIONS
        ):
            experiment = registry.load("experiments", name)
            cells = _cells(experiment, tier, precision, have)
            if cells:
                wanted = sorted(experiment.wanted)
                write_rows(export(name, cells, wanted, Sources(store)), path)
                found[f"{name} {tier.name} {precision}"] = read_rows(path)
    if not found:
        raise UsageError(
            f"{root} has {len(have)} cells and none is of an experiment of this code; "
            "compare folders of results"
        )
    return found


def _cells(
    experiment: Experiment, tier: Tier, precision: Precision, have: set[str]
) -> list[tuple[Cell, dict[str, Setting]]]:
    """An experiment's cells, at every seed of which there is one.

    Seeds are looked for from 0 on, as far again as there are some, and up to 7 at
    least: beyond a longer gap they are not found.
    """
    seeds = 8
    while True:
        cells = list(experiment.cells(tier, range(seeds), precision))
        found = {cell.seed for cell, _ in cells if cell.key in have}
        if max(found, default=0) < seeds // 2:
            return [(cell, factors) for cell, factors in cells if cell.seed in found]
        seeds *= 2


def _commit(word: str) -> str:
    """The full hash of a commit in git's words."""
    call = ["git", "rev-parse", "--verify", "--quiet", "--end-of-options"]
    try:
        done = subprocess.run(  # noqa: S603 (one word of the user's, as a revision)
            [*call, f"{word}^{{commit}}"], capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError) as error:
        raise UsageError(
            f"{word!r} is no folder with measurements/*.csv or cells/, and no commit"
        ) from error
    return done.stdout.strip()


def _of_commit(commit: str, word: str, history: Path) -> Measurements:
    """The measurements that the history has of a commit."""
    folder = history / commit[:12]
    if not (folder / "commit.json").exists():
        raise UsageError(
            f"no measurements of {word} in {folder}; run mae-bench history {word} first"
        )
    try:
        record: Record = dict(parse((folder / "commit.json").read_bytes()))
        filed, status = record["commit"], record["status"]
    except (ValueError, TypeError, KeyError) as error:
        raise UsageError(
            f"{folder / 'commit.json'} is no record of a commit"
        ) from error
    if filed != commit:
        raise UsageError(f"{folder} is of commit {filed}, not of {commit}")
    if status != "ok":
        reason = record.get("reason") or "no reason given"
        raise UsageError(f"{word} ({commit[:12]}) was not measured: {status}: {reason}")
    found = read_measurements(folder / "measurements")
    if not found:
        raise UsageError(f"no {folder / 'measurements'}/*.csv; measure {word} again")
    return found


def _check_origin(found: Side) -> None:
    """Refuse numbers that were not made by the commit that they are filed under.

    Raises:
        UsageError: Of another commit, or of one with uncommitted changes.
    """
    rows = found.rows[found.rows["status"] != "missing"]
    own = rows["commit"].map(lambda c: len(c) >= 7 and found.commit.startswith(c))
    foreign = rows[~own.astype(bool) | (rows["dirty"] == "True")]
    if len(foreign):
        first = foreign.iloc[0]
        changed = " with uncommitted changes" if first["dirty"] == "True" else ""
        raise UsageError(
            f"{len(foreign)} rows filed under {found.word} ({found.commit[:12]}) are "
            f"of {first['commit'] or 'no commit'}{changed}; measure it again"
        )
