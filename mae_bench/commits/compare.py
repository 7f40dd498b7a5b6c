"""Two sides -> what is better, the same, worse or unknown, in quality and speed.

Seeds are paired: both sides share worlds, images, initial weights and masks of a seed.
Of the numbers, those with a direction are compared; of whole cells and instruments,
that they still work: what was ok in A and failed in B is worse, whatever it measures.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cache
from itertools import zip_longest
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from mae_bench.commits import timings
from mae_bench.commits.changes import Change, Numbers, Verdict, paired, settle
from mae_bench.commits.sides import CELL, NUMBER, Side
from mae_bench.metrics import Metric
from mae_bench.records import registry
from mae_bench.records.rows import SHUFFLED, VALIDATION
from mae_bench.records.schema import STATUSES
from mae_bench.verdicts.rank import CEILING

# Two numbers of a CSV that are written with 6 decimals differ by this at most if equal.
RESOLUTION = 2e-6
FAILED = frozenset(STATUSES) - {"ok", "skipped", "missing"}
# A failure may concern a cell, an instrument on it, or one number.
_DEPTHS = (len(CELL), len(CELL) + 2, len(NUMBER))

Place = tuple[str, ...]


@dataclass(frozen=True)
class Comparison:
    """What was found.

    Args:
        a: Before.
        b: After.
        changes: One a number, a failure or a benchmark.
        notes: What a reader must know first, a line each.
    """

    a: Side
    b: Side
    changes: list[Change]
    notes: list[str]


def compare(
    a: Side,
    b: Side,
    *,
    asv: Path | None = None,
    across_devices: bool = False,
    speed: bool = True,
) -> Comparison:
    """Hold B against A.

    Args:
        a: The side before.
        b: The side after.
        asv: Folder of asv's results, which of two commits say how fast they are;
            without, the seconds of training do.
        across_devices: Whether numbers of unlike devices are compared all the same.
        speed: Whether speed is compared at all.
    """
    found = settle(quality(a, b, across_devices))
    taken, notes = timings.speed(a, b, asv) if speed else ([], [])
    if any(c.name["method"] == CEILING and math.isfinite(c.p_value) for c in found):
        notes.insert(0, f"{CEILING} differs: the worlds or the instruments do")
    if across_devices and a.known("device") != b.known("device"):
        notes.insert(0, f"compared across devices: {_both(a, b, 'device')}")
    if a.known("versions") != b.known("versions"):
        notes.insert(0, f"libraries or processors differ: {_both(a, b, 'versions')}")
    return Comparison(a, b, found + settle(taken), notes)


def _both(a: Side, b: Side, column: str) -> str:
    return f"{', '.join(a.known(column))} -> {', '.join(b.known(column))}"


def margin(metric: Metric, mean: float) -> float:
    """The smallest change of a metric that matters.

    0.02 of its range, ``upper - lower``, where both are finite; else 0.02 of the way
    from ``chance`` to ``best``, where both are; else 5 % of the mean of side A. Never
    less than what rounding does to two equal numbers.

    Args:
        metric: Whose.
        mean: Of side A.
    """
    for scale in (metric.upper - metric.lower, abs(metric.best - metric.chance)):
        if math.isfinite(scale):
            return 0.02 * scale
    return max(0.05 * abs(mean), RESOLUTION)


class _Fate(NamedTuple):
    """Why there is no number."""

    status: str
    reason: str
    device: str


_ABSENT = _Fate("absent", "no such row", "")


class _Number(NamedTuple):
    """A number of one seed, and what it must share to be compared."""

    value: float
    n_eval: int
    version: int
    device: str


class _Half:
    """One side, looked up: numbers by place and seed, and why others are not there."""

    def __init__(self, side: Side) -> None:
        rows = side.rows
        ok, lost = rows[rows["status"] == "ok"], rows[rows["status"] != "ok"]
        own = [not token.endswith((SHUFFLED, VALIDATION)) for token in ok["token"]]
        gated = ok[np.array(own, dtype=bool) & ok["metric"].map(_gated).astype(bool)]
        self.numbers: dict[Place, dict[int, _Number]] = defaultdict(dict)
        for place, seed, found in _each(
            gated, NUMBER, "value", "n_eval", "metric_version", "device"
        ):
            self.numbers[place][seed] = _Number(*found)
        self.tiers = {place[1:]: place[0] for place in self.numbers}
        self.measured: dict[Place, dict[int, str]] = defaultdict(dict)
        for depth in _DEPTHS:
            for place, seed, (device,) in _each(ok, NUMBER[:depth], "device"):
                self.measured[place][seed] = device
        self.fates: dict[Place, dict[int, _Fate]] = defaultdict(dict)
        for place, seed, found in _each(lost, NUMBER, "status", "reason", "device"):
            self.fates[_concerned(place)][seed] = _Fate(*found)

    def fate(self, place: Place, seed: int) -> _Fate:
        """Why a number is not there, as far as the side knows."""
        known = (self.fates.get(place[:depth], {}) for depth in _DEPTHS)
        return next((fates[seed] for fates in known if seed in fates), _ABSENT)


def _each(
    rows: pd.DataFrame, names: tuple[str, ...], *columns: str
) -> Iterable[tuple[Place, int, list[Any]]]:
    """Place, seed and some columns of each row."""
    wanted = [rows[name] for name in (*names, "seed", *columns)]
    for row in zip(*wanted, strict=True):
        yield row[: len(names)], row[len(names)], list(row[len(names) + 1 :])


def _concerned(place: Place) -> Place:
    """What a row without a value speaks of: it is empty where it concerns all."""
    *_, metric, _, token, target = place
    if not metric:
        return place[: _DEPTHS[0]]
    return place if token or target else place[: _DEPTHS[1]]


@cache
def _facts(metric: str) -> Metric | None:
    known = metric in registry.names("metrics")
    return registry.load("metrics", metric) if known else None


def _gated(metric: str) -> bool:
    """Whether one way is better; a metric unknown here is kept, to be told of."""
    facts = _facts(metric)
    return facts is None or facts.direction != "none"


def quality(a: Side, b: Side, across_devices: bool = False) -> list[Change]:
    """Every number with a direction, and every failure; not yet settled.

    A number is named by tier, experiment, dataset, method, factors, metric, view,
    token and target. What neither side has measured is left out.
    """
    one, two = _Half(a), _Half(b)
    found = _failures(one, two, across_devices)
    for change in _failures(two, one, across_devices):
        better: Verdict = "better" if change.verdict == "worse" else change.verdict
        reason = f"was {change.reason}"
        found.append(replace(change, verdict=better, reason=reason, gap=False))
    places = sorted({*one.numbers, *two.numbers})
    numbers = (_number(place, one, two, across_devices) for place in places)
    return found + [change for change in numbers if change is not None]


def _named(place: Place) -> dict[str, str]:
    return dict(zip_longest(NUMBER, place, fillvalue=""))


def _failures(whole: _Half, broken: _Half, across_devices: bool) -> list[Change]:
    """What is ok on one side and failed on the other: a line a cell or instrument."""
    found = []
    for place, fates in sorted(broken.fates.items()):
        devices = whole.measured.get(place, {})
        lost = {
            seed: fate
            for seed, fate in sorted(fates.items())
            if fate.status in FAILED and seed in devices
        }
        if not lost:
            continue
        reason = _words(lost)
        seed, fate = next(iter(lost.items()))
        unlike = fate.device and fate.device != devices[seed] and not across_devices
        if unlike:
            reason = f"devices differ: {devices[seed]}, {fate.device}; {reason}"
        verdict: Verdict = "unknown" if unlike else "worse"
        found.append(Change("quality", _named(place), verdict, reason, bool(unlike)))
    return found


def _words(fates: dict[int, _Fate]) -> str:
    """The seeds that have no number, with their first reason."""
    seeds, first = ", ".join(map(str, fates)), next(iter(fates.values()))
    return f"{first.status} in seed {seeds}: {first.reason}"


def _number(
    place: Place, one: _Half, two: _Half, across_devices: bool
) -> Change | None:
    """One number of both sides; None where a failure has told it already."""
    name = _named(place)
    x, y = one.numbers.get(place, {}), two.numbers.get(place, {})
    if not x:
        told = place[1:] in one.tiers or _told(place, y, one)
        return None if told else Change("quality", name, "new")
    if not y and place[1:] in two.tiers:
        reason = f"tiers differ: {place[0]} -> {two.tiers[place[1:]]}"
        return Change("quality", name, "unknown", reason, True)
    lacking = {seed: two.fate(place, seed) for seed in sorted(x) if seed not in y}
    reason = f"in B {_words(lacking)}" if lacking else ""
    if len(lacking) == len(x):
        told = _told(place, x, two)
        return None if told else Change("quality", name, "unknown", reason, True)
    common = sorted(x.keys() & y.keys())
    pairs = [(x[seed], y[seed]) for seed in common]
    found = _compared(name, pairs, across_devices)
    if lacking and found.verdict != "worse" and not found.gap:
        return replace(found, verdict="unknown", reason=reason, gap=True)
    return found


def _told(place: Place, seeds: Iterable[int], half: _Half) -> bool:
    return all(half.fate(place, seed).status in FAILED for seed in seeds)


def _compared(
    name: dict[str, str], pairs: list[tuple[_Number, _Number]], across_devices: bool
) -> Change:
    """One number on the seeds that both sides have."""
    metric = _facts(name["metric"])
    reason = _unlike(pairs, across_devices)
    if metric is None:
        reason = f"no metric {name['metric']} here: its direction is not known"
    if metric is None or reason:
        return Change("quality", name, "unknown", reason, True)
    before, after = np.array([(x.value, y.value) for x, y in pairs]).T
    mean = float(before.mean())
    grain = 1 / max(1, min(number.n_eval for pair in pairs for number in pair))
    found = paired(gain(metric, before, after), margin(metric, mean), grain)
    return replace(found, name=name, a=mean, b=float(after.mean()))


def _unlike(pairs: list[tuple[_Number, _Number]], across_devices: bool) -> str:
    """Why two numbers of the same name are not the same kind of number."""
    versions = {
        f"{x.version} -> {y.version}" for x, y in pairs if x.version != y.version
    }
    if versions:
        return f"versions of the metric differ: {', '.join(sorted(versions))}"
    devices = {f"{x.device} -> {y.device}" for x, y in pairs if x.device != y.device}
    if devices and not across_devices:
        return f"devices differ: {', '.join(sorted(devices))}"
    return ""


def gain(metric: Metric, before: Numbers, after: Numbers) -> Numbers:
    """How much better each value became, in the metric's unit.

    What is maximised counts by its rise, what is minimised by its fall; what has a
    target by how much nearer it came to ``best``.
    """
    if metric.direction == "target":
        return np.abs(before - metric.best) - np.abs(after - metric.best)
    return after - before if metric.direction == "max" else before - after
