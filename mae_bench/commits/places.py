"""One side, looked up by place: its numbers, seed by seed, and why others lack."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from functools import cache, cached_property
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from mae_bench.commits.sides import CELL, NUMBER, Side
from mae_bench.metrics import Metric
from mae_bench.records import registry
from mae_bench.records.rows import SHUFFLED, VALIDATION

# A failure may concern a cell, an instrument on it, or one number.
DEPTHS = (len(CELL), len(CELL) + 2, len(NUMBER))

Place = tuple[str, ...]


class Fate(NamedTuple):
    """Why there is no number."""

    status: str
    reason: str
    device: str


ABSENT = Fate("absent", "no such row", "")


class Sample(NamedTuple):
    """The numbers of a place, a seed each, and what must be alike to compare them."""

    seed: npt.NDArray[Any]
    value: npt.NDArray[Any]
    n_eval: npt.NDArray[Any]
    metric_version: npt.NDArray[Any]
    device: npt.NDArray[Any]

    def of(self, places: npt.NDArray[np.intp]) -> Sample:
        """Those that stand at some places."""
        return Sample(*(column[places] for column in self))


NONE = Sample(*(np.zeros(0),) * len(Sample._fields))


class ByPlace(Mapping[Place, Sample]):
    """Rows by the words of some columns, a seed after the other.

    Args:
        rows: Tidy rows, see ``sides.tidy``.
        names: The columns.
    """

    def __init__(self, rows: pd.DataFrame, names: tuple[str, ...]) -> None:
        """Sort them once."""
        groups = rows.groupby([*names], dropna=False, observed=True, sort=False)
        code = groups.ngroup().to_numpy()
        order = np.lexsort((rows["seed"].to_numpy(), code))
        starts = np.flatnonzero(np.diff(code[order], prepend=-1))
        heads = rows.iloc[order[starts]]
        places = zip(*(heads[name] for name in names), strict=True)
        ends = [*starts[1:], len(order)][: len(starts)]
        self._at = dict(zip(places, zip(starts, ends, strict=True), strict=True))
        columns = (rows[c].to_numpy()[order] for c in Sample._fields)
        self._whole = Sample(*columns)

    def __getitem__(self, place: Place) -> Sample:
        start, end = self._at[place]
        return Sample(*(column[start:end] for column in self._whole))

    def __iter__(self) -> Iterator[Place]:
        return iter(self._at)

    def __len__(self) -> int:
        return len(self._at)


class Half:
    """One side: numbers that have a direction, by place, and the fates of others."""

    def __init__(self, side: Side) -> None:
        """Look it up."""
        ok = side.rows["status"] == "ok"
        self._ok, lost = side.rows[ok], side.rows[~ok]
        gated = _each_word(self._ok["metric"], _is_gated)
        own = _each_word(self._ok["token"], _is_own)
        self.numbers = ByPlace(self._ok[gated & own], NUMBER)
        self.tiers = {place[1:]: place[0] for place in self.numbers}
        self.fates: dict[Place, dict[int, Fate]] = defaultdict(dict)
        columns = [lost[c] for c in (*NUMBER, "seed", *Fate._fields)]
        for row in zip(*columns, strict=True):
            place, seed, fate = row[: len(NUMBER)], row[len(NUMBER)], row[-3:]
            self.fates[_concerned(place)][seed] = Fate(*fate)

    @cached_property
    def _measured(self) -> dict[int, ByPlace]:
        return {depth: ByPlace(self._ok, NUMBER[:depth]) for depth in DEPTHS}

    def devices(self, place: Place) -> dict[int, str]:
        """Seed -> where anything of a place was measured."""
        found = self._measured[len(place)].get(place, NONE)
        return dict(zip(found.seed.tolist(), found.device, strict=True))

    def fate(self, place: Place, seed: int) -> Fate:
        """Why a number is not there, as far as the side knows."""
        known = (self.fates.get(place[:depth], {}) for depth in DEPTHS)
        return next((fates[seed] for fates in known if seed in fates), ABSENT)


def _each_word(column: pd.Series, asked: Any) -> npt.NDArray[np.bool_]:
    """Whether something is so of the word of each row."""
    known = {word: bool(asked(word)) for word in column.unique()}
    return column.map(known).to_numpy(bool)


def _is_own(token: str) -> bool:
    """Whether a read-out is held against its own images, of the test."""
    return not token.endswith((SHUFFLED, VALIDATION))


@cache
def facts(metric: str) -> Metric | None:
    """What is known of a metric, if it is one of ours."""
    known = metric in registry.names("metrics")
    return registry.load("metrics", metric) if known else None


def _is_gated(metric: str) -> bool:
    """Whether one way is better; a metric unknown here is kept, to be told of."""
    known = facts(metric)
    return known is None or known.direction != "none"


def _concerned(place: Place) -> Place:
    """What a row without a value speaks of: it is empty where it concerns all."""
    *_, metric, _, token, target = place
    if not metric:
        return place[: DEPTHS[0]]
    return place if token or target else place[: DEPTHS[1]]
