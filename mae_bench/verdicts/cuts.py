"""Tables of rows, of which each cut that claims ask for is made once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property

import pandas as pd

from mae_bench.records.rows import Measurements, Where, matches, matching
from mae_bench.records.words import shared


class Cuts(Mapping[str, pd.DataFrame]):
    """Experiment id -> its tidy rows, which do not change.

    Args:
        tables: The rows.
        whole: Those of all seeds, if these are not.
    """

    def __init__(self, tables: Measurements, whole: Cuts | None = None) -> None:
        """Keep them; nothing is cut yet."""
        self._tables = dict(tables)
        self._whole = whole
        self._cut: dict[tuple[str, ...], tuple[pd.DataFrame, pd.DataFrame]] = {}
        self._points: dict[tuple[str, ...], set[tuple[object, ...]]] = {}

    @classmethod
    def of(cls, tables: Measurements) -> Cuts:
        """The tables themselves, if they are cuts."""
        return tables if isinstance(tables, cls) else cls(tables)

    def __getitem__(self, experiment: str) -> pd.DataFrame:
        return self._tables[experiment]

    def __iter__(self) -> Iterator[str]:
        return iter(self._tables)

    def __len__(self) -> int:
        return len(self._tables)

    def forget(self) -> None:
        """Keep nothing that was cut."""
        self._cut.clear()
        self._points.clear()

    def but(self, experiment: str, rows: pd.DataFrame) -> Cuts:
        """The same tables, but for one."""
        return Cuts({**self._tables, experiment: rows}, self._whole or self)

    def rows(
        self, experiment: str, metrics: tuple[str, ...], where: Where | None = None
    ) -> pd.DataFrame:
        """Rows of some metrics, and of what else is wanted; see ``matching``."""
        coded, rows = self._of(experiment, metrics)
        kept = matches(coded, where or {})
        return rows if len(kept) == len(rows) else rows.iloc[kept]

    def _of(
        self, experiment: str, metrics: tuple[str, ...]
    ) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Those of some metrics: as they are, which is quick to search, and as text."""
        at = (experiment, *metrics)
        if at not in self._cut:
            coded = matching(self[experiment], {"metric": metrics})
            self._cut[at] = coded, shared(coded)
        return self._cut[at]

    def points(
        self, experiment: str, metrics: tuple[str, ...], axes: tuple[str, ...]
    ) -> set[tuple[object, ...]]:
        """Points, on the seed and some axes, at which there are rows of some metrics.

        What is empty is None.
        """
        at = (experiment, *metrics, "", *axes)
        if at not in self._points:
            rows, _ = self._of(experiment, metrics)
            found = rows[["seed", *axes]].drop_duplicates().to_numpy(dtype=object)
            self._points[at] = {tuple(map(_plain, row)) for row in found}
        return self._points[at]

    @cached_property
    def converged(self) -> pd.DataFrame:
        """Whether trainings have, in any experiment and seed: columns cell, value."""
        if self._whole is not None:
            return self._whole.converged
        where = {"metric": "convergence", "target": "converged", "status": "ok"}
        found = [
            rows.loc[rows["metric"] == "convergence", [*where, "cell", "value"]]
            for rows in self.values()
        ]
        return matching(pd.concat(found), where)[["cell", "value"]]


def _plain(value: object) -> object:
    """None for whatever is empty, so that it can be compared."""
    return None if value == "" or value != value else value
