"""Two sides -> what is better, the same, worse or unknown, in quality and speed.

Seeds are paired: both sides share worlds, images, initial weights and masks of a seed.
Of the numbers, those with a direction are compared; of whole cells and instruments,
that they still work: what was ok in A and failed in B is worse, whatever it measures.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from itertools import zip_longest
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from mae_bench.commits import timings
from mae_bench.commits.changes import Change, Numbers, Verdict, paired, settle
from mae_bench.commits.places import NONE, Fate, Half, Place, Sample, facts
from mae_bench.commits.sides import NUMBER, Side
from mae_bench.metrics import Metric
from mae_bench.records.schema import STATUSES
from mae_bench.verdicts.rank import CEILING

# Two numbers of a CSV that are written with 6 decimals differ by this at most if equal.
RESOLUTION = 2e-6
FAILED = frozenset(STATUSES) - {"ok", "skipped", "missing"}


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


def quality(a: Side, b: Side, across_devices: bool = False) -> list[Change]:
    """Every number with a direction, and every failure; not yet settled.

    A number is named by tier, experiment, dataset, method, factors, metric, view,
    token and target. What neither side has measured is left out.
    """
    one, two = Half(a), Half(b)
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


def _failures(whole: Half, broken: Half, across_devices: bool) -> list[Change]:
    """What is ok on one side and failed on the other: a line a cell or instrument."""
    found = []
    for place, fates in sorted(broken.fates.items()):
        lost = {s: fate for s, fate in sorted(fates.items()) if fate.status in FAILED}
        devices = whole.devices(place) if lost else {}
        lost = {seed: fate for seed, fate in lost.items() if seed in devices}
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


def _words(fates: dict[int, Fate]) -> str:
    """The seeds that have no number, with their first reason."""
    seeds, first = ", ".join(map(str, fates)), next(iter(fates.values()))
    return f"{first.status} in seed {seeds}: {first.reason}"


def _number(place: Place, one: Half, two: Half, across_devices: bool) -> Change | None:
    """One number of both sides; None where a failure has told it already."""
    name = _named(place)
    x, y = (half.numbers.get(place, NONE) for half in (one, two))
    if not len(x.seed):
        told = place[1:] in one.tiers or _told(place, y, one)
        return None if told else Change("quality", name, "new")
    if not len(y.seed) and place[1:] in two.tiers:
        reason = f"tiers differ: {place[0]} -> {two.tiers[place[1:]]}"
        return Change("quality", name, "unknown", reason, True)
    _, at_x, at_y = np.intersect1d(x.seed, y.seed, True, return_indices=True)
    absent = np.setdiff1d(x.seed, y.seed, True).tolist()
    lacking = {seed: two.fate(place, seed) for seed in absent}
    reason = f"in B {_words(lacking)}" if lacking else ""
    if not len(at_x):
        told = _told(place, x, two)
        return None if told else Change("quality", name, "unknown", reason, True)
    found = _compared(name, x.of(at_x), y.of(at_y), across_devices)
    if lacking and found.verdict != "worse" and not found.gap:
        return replace(found, verdict="unknown", reason=reason, gap=True)
    return found


def _told(place: Place, sample: Sample, half: Half) -> bool:
    seeds = sample.seed.tolist()
    return all(half.fate(place, seed).status in FAILED for seed in seeds)


def _compared(
    name: dict[str, str], x: Sample, y: Sample, across_devices: bool
) -> Change:
    """One number on the seeds that both sides have."""
    metric = facts(name["metric"])
    reason = _unlike(x, y, across_devices)
    if metric is None:
        reason = f"no metric {name['metric']} here: its direction is not known"
    if metric is None or reason:
        return Change("quality", name, "unknown", reason, True)
    before, after = x.value.astype(float), y.value.astype(float)
    mean = float(before.mean())
    grain = 1 / max(1, int(min(x.n_eval.min(), y.n_eval.min())))
    found = paired(gain(metric, before, after), margin(metric, mean), grain)
    return replace(found, name=name, a=mean, b=float(after.mean()))


def _unlike(x: Sample, y: Sample, across_devices: bool) -> str:
    """Why two numbers of the same name are not the same kind of number."""
    if said := _apart(x.metric_version, y.metric_version):
        return f"versions of the metric differ: {said}"
    said = _apart(x.device, y.device)
    return f"devices differ: {said}" if said and not across_devices else ""


def _apart(one: npt.NDArray[Any], two: npt.NDArray[Any]) -> str:
    """What differs, in words; empty if nothing does."""
    unlike = one != two
    pairs = {*zip(one[unlike], two[unlike], strict=True)}
    return ", ".join(sorted(f"{before} -> {after}" for before, after in pairs))


def gain(metric: Metric, before: Numbers, after: Numbers) -> Numbers:
    """How much better each value became, in the metric's unit.

    What is maximised counts by its rise, what is minimised by its fall; what has a
    target by how much nearer it came to ``best``.
    """
    if metric.direction == "target":
        return np.abs(before - metric.best) - np.abs(after - metric.best)
    return after - before if metric.direction == "max" else before - after
