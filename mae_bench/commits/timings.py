"""How fast two sides are: asv's samples of two commits, or the seconds of training.

A change is ln(seconds of A / seconds of B). It matters beyond ln 1.25: two machines
that share their cores wobble by a tenth.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from scipy import special

from mae_bench.commits.changes import Change, Numbers, paired, verdict
from mae_bench.commits.sides import CELL, Side
from mae_bench.records.schema import UsageError
from mae_bench.records.stats import CONFIDENCE
from mae_bench.records.store import parse
from mae_bench.records.words import in_full
from mae_bench.verdicts.places import ENOUGH_SEEDS

MARGIN = math.log(1.25)
# Below this a training is mostly its start, and a tenth of a second is written.
LEAST_SECONDS = 1.0
# What the history writes for asv is quality, and is compared as such.
QUALITY = "quality."


def speed(a: Side, b: Side, asv: Path | None) -> tuple[list[Change], list[str]]:
    """The changes in speed, not yet settled, and what to know of them.

    Asv's samples where it has measured both commits on one machine; else the seconds
    of training.
    """
    if asv is not None and a.commit and b.commit:
        before, after = _kept(asv, a.commit), _kept(asv, b.commit)
        both = sorted(set(before) & set(after))
        if both:
            pairs = (
                (machine, before[machine, name], after[machine, name])
                for machine, name in both
            )
            return [change for pair in pairs for change in samples(*pair)], []
        if before and after:
            return seconds(a, b)[0], ["asv: no machine has measured both commits"]
    return seconds(a, b)


def seconds(a: Side, b: Side) -> tuple[list[Change], list[str]]:
    """Seconds of training of the cells that both have, summed over factors.

    One change an experiment, dataset and method, paired by seed. Cells that took less
    than a second on either side are left out, controls among them; so are, with a note,
    those of unlike devices.
    """
    names = [*CELL, "seed"]
    x, y = (
        side.rows[side.rows["status"] == "ok"].drop_duplicates(names)[
            [*names, "train_seconds", "device"]
        ]
        for side in (a, b)
    )
    cells = in_full(x.merge(y, on=names, suffixes=("_a", "_b")))
    taken = cells[["train_seconds_a", "train_seconds_b"]]
    cells = cells[taken.min(axis=1) >= LEAST_SECONDS]
    alike = cells["device_a"] == cells["device_b"]
    notes = [] if alike.all() else ["speed is not compared across devices"]
    found = []
    for place, group in cells[alike].groupby([n for n in CELL if n != "factors"]):
        sums = group.groupby("seed")[["train_seconds_a", "train_seconds_b"]].sum()
        before, after = sums.to_numpy(float).T
        change = paired(np.log(before / after), MARGIN)
        name = dict(zip(CELL[:-1], map(str, place), strict=True))
        found.append(
            replace(
                change,
                kind="speed",
                name={"source": "train_seconds", **name},
                a=float(before.mean()),
                b=float(after.mean()),
            )
        )
    return found, notes


@dataclass(frozen=True)
class Timing:
    """What asv has of one benchmark at one point of its parameters.

    Args:
        version: Of the benchmark.
        result: None if it failed, NaN if it does not apply.
        samples: Empty if asv kept none.
    """

    version: str
    result: float | None
    samples: tuple[float, ...]


def samples(
    machine: str, before: Mapping[str, Timing], after: Mapping[str, Timing]
) -> Iterator[Change]:
    """Asv's benchmarks of two commits on one machine, all lower-is-better.

    Samples are not paired: the interval is Welch's, of the logarithms.
    """
    for benchmark in sorted({*before, *after}):
        name = {"source": f"asv {machine}", "benchmark": benchmark}
        x, y = before.get(benchmark), after.get(benchmark)
        if x is None or x.result is None or math.isnan(x.result):
            if y is not None and y.result is not None and not math.isnan(y.result):
                yield Change("speed", name, "new")
        elif y is None:
            yield Change("speed", name, "unknown", "not in B", True)
        elif y.result is None:
            yield Change("speed", name, "worse", "failed in B")
        elif x.version != y.version or math.isnan(y.result):
            reason = "versions of the benchmark differ"
            reason = "does not apply in B" if math.isnan(y.result) else reason
            yield Change("speed", name, "unknown", reason, True)
        else:
            yield replace(_timed(x, y), name=name, a=x.result, b=y.result)


def _timed(x: Timing, y: Timing) -> Change:
    n = min(len(x.samples), len(y.samples))
    if n < ENOUGH_SEEDS:
        reason = f"{n} samples; give asv --record-samples"
        return Change("speed", {}, "unknown", reason, margin=MARGIN, n=n)
    mean, error, degrees = _welch(
        np.log(np.asarray(x.samples)), np.log(np.asarray(y.samples))
    )
    half, p = 0.0, float(abs(mean) <= MARGIN)
    if error > 0:
        half = error * float(special.stdtrit(degrees, (1 + CONFIDENCE) / 2))
        p = float(special.stdtr(degrees, (MARGIN - abs(mean)) / error))
    low, high = mean - half, mean + half
    return Change(
        "speed",
        {},
        verdict(low, high, MARGIN),
        change=mean,
        low=low,
        high=high,
        margin=MARGIN,
        n=n,
        p_value=p,
    )


def _welch(x: Numbers, y: Numbers) -> tuple[float, float, float]:
    """Difference of two means, its standard error, and Satterthwaite's degrees."""
    parts = [float(s.var(ddof=1)) / s.size for s in (x, y)]
    total = sum(parts)
    below = sum(part**2 / (s.size - 1) for part, s in zip(parts, (x, y), strict=True))
    degrees = total**2 / below if below > 0 else math.inf
    return float(x.mean() - y.mean()), math.sqrt(total), degrees


def _kept(asv: Path, commit: str) -> dict[tuple[str, str], dict[str, Timing]]:
    """What asv has of a commit, by machine and environment, where there is any."""
    found = {
        (path.parent.name, path.name[9:]): _read(path, commit)
        for path in sorted(asv.glob(f"*/{commit[:8]}-*.json"))
    }
    return {place: timings for place, timings in found.items() if timings}


def _read(path: Path, commit: str) -> dict[str, Timing]:
    """The benchmarks of one of asv's result files (its version 2).

    Raises:
        UsageError: It is not one, or is another commit's.
    """
    try:
        content: dict[str, Any] = parse(path.read_bytes())
        if content["version"] != 2 or content["commit_hash"] != commit:
            raise UsageError(f"{path} is not of asv's version 2, or not of {commit}")
        columns = content["result_columns"]
        # Asv cuts trailing columns that are empty.
        rows = {
            name: dict(zip(columns, row, strict=False))
            for name, row in content["results"].items()
            if not name.startswith(QUALITY)
        }
        return {
            label: timing
            for name, row in rows.items()
            for label, timing in _timings(name, row)
        }
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        if isinstance(error, UsageError):
            raise
        raise UsageError(f"{path} is no result of asv's") from error


def _timings(name: str, row: Mapping[str, Any]) -> Iterator[tuple[str, Timing]]:
    points = list(product(*(row.get("params") or [])))
    results = row["result"] or [None] * len(points)
    kept = row.get("samples") or [None] * len(points)
    for point, result, found in zip(points, results, kept, strict=True):
        label = f"{name}({', '.join(point)})" if point else name
        version = str(row.get("version") or "")
        value = None if result is None else float(result)
        yield label, Timing(version, value, tuple(map(float, found or ())))
