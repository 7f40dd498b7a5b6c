"""What the rows of a folder say of each cell: measured, failed, or nothing."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from mae_bench.records import merge
from mae_bench.records.read import read_measurements, read_words, refuse_unlike
from mae_bench.records.rows import Measurements
from mae_bench.records.schema import FINISHED, Precision, of_the_moment
from mae_bench.records.store import Record, Store
from mae_bench.records.words import Words

Pair = tuple[str, str]
Pairs = Mapping[Pair, list[Record]]
# The metric and the view of a row that speaks of a whole cell.
WHOLE: Pair = ("", "")
# The fields of a row that are the cell's, whatever experiment asks.
_OF_CELL = (
    "metric",
    "metric_version",
    "view",
    "token",
    "target",
    "value",
    "n_eval",
    "status",
    "reason",
    "train_seconds",
    "commit",
    "dirty",
    "versions",
    "device",
)


@dataclass(frozen=True)
class Known:
    """The rows of some cells, of the current version of each metric.

    Args:
        tables: Experiment id -> cell key -> (metric, view) -> rows; ``WHOLE`` where a
            cell could not be trained.
    """

    tables: Mapping[str, Mapping[str, Pairs]] = field(default_factory=dict)

    def of(self, key: str, experiment: str | None = None) -> Pairs:
        """The rows of a cell, in one experiment or in any."""
        found: dict[Pair, list[Record]] = {}
        for name in self.tables if experiment is None else (experiment,):
            found = {**self.tables.get(name, {}).get(key, {}), **found}
        return found

    def failed(self, key: str) -> bool:
        """Whether nothing but a failure of the whole cell is known."""
        return set(self.of(key)) == {WHOLE}

    def measured(self, key: str) -> set[Pair]:
        """What was measured of a cell, well or not."""
        return set(self.of(key)) - {WHOLE}

    def lost(self, key: str) -> set[Pair]:
        """What was measured of a cell and might end better in another run."""
        return {pair for pair, rows in self.of(key).items() if unfinished(rows)}

    def interrupted(self, key: str) -> set[Pair]:
        """What of it failed for a reason that has passed; see ``of_the_moment``."""
        return {pair for pair, rows in self.of(key).items() if interrupted(rows)}


def interrupted(rows: Collection[Record]) -> bool:
    """Whether some of a metric's rows failed for a reason that has passed."""
    failed = [row for row in rows if row["status"] not in FINISHED]
    return any(of_the_moment(row.get("reason", "")) for row in failed)


def unfinished(rows: Collection[Record]) -> bool:
    """Whether some of a metric's rows might end better in another run."""
    return any(row["status"] not in FINISHED for row in rows)


def known(
    measurements: Measurements, keys: Collection[str], versions: Mapping[str, int]
) -> Known:
    """What is known of some cells.

    Args:
        measurements: Experiment id -> its tidy rows.
        keys: Of the cells.
        versions: Metric id -> its version; rows of another say nothing.
    """
    tables = {}
    for experiment, rows in measurements.items():
        version = Words.of(rows["metric"]).each(lambda words: words.map(dict(versions)))
        current = version == rows["metric_version"]
        ran = rows["cell"].isin(keys) & (rows["status"] != "missing")
        rows = rows[ran & (current | (rows["metric"] == ""))]
        table: dict[str, dict[Pair, list[Record]]] = {}
        for key, record in zip(rows["cell"], _records(rows), strict=True):
            pair = record["metric"], record["view"]
            table.setdefault(key, {}).setdefault(pair, []).append(record)
        tables[experiment] = table
    return Known(tables)


def read_beside(
    results: Path, tier: str, devices: Sequence[str], precision: Precision
) -> Measurements:
    """The rows, see ``read_words``, that those of a tier and some devices are to join.

    Raises:
        UsageError: They cannot be read, or are not to be looked at together.
    """
    folder = results / "measurements"
    rows = read_measurements(folder, read_words)
    new = {"tier": tier, "precision": precision}
    for name, there in rows.items():
        device = devices[0] if devices else "cpu"
        refuse_unlike(there, folder / f"{name}.csv", **new, device=device)
    return rows


def finished(
    rows: pd.DataFrame, wanted: Collection[Pair], versions: Mapping[str, int]
) -> set[str]:
    """Keys of the cells that owe nothing: ended as a whole, or measured in every pair.

    What failed and might end better in another run is owed.

    Args:
        rows: Of an experiment.
        wanted: Its pairs (metric id, view).
        versions: Metric id -> its version; rows of another say nothing.
    """
    ran = rows[merge.finished(rows)]
    failed = set(ran.loc[ran["metric"] == "", "cell"])
    current = ran["metric"].map(dict(versions)) == ran["metric_version"]
    pairs = ran.loc[current, ["cell", "metric", "view"]].drop_duplicates()
    asked = [
        pair in wanted for pair in zip(pairs["metric"], pairs["view"], strict=True)
    ]
    counts = pairs.loc[asked, "cell"].value_counts()
    return failed | set(counts[counts == len(wanted)].index)


def is_trained(store: Store, key: str) -> bool:
    """Whether a training has ended, and not for a reason that has passed."""
    trained = store.trained(key)
    return trained is not None and not of_the_moment(trained.reason)


def _records(rows: pd.DataFrame) -> list[Record]:
    """Rows without experiment and cell, as a store's scores are."""
    table = rows[list(_OF_CELL)].astype(object)
    table = table.where(table.notna(), None)
    for column, kind in {"metric_version": int, "n_eval": int, "dirty": bool}.items():
        table[column] = [kind(value or 0) for value in table[column]]
    return [dict(zip(_OF_CELL, row, strict=True)) for row in table.to_numpy()]
