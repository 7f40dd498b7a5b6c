"""A change from one side to another, and its verdict: better, same, worse or unknown.

A change is turned so that positive is better. With the margin m, the smallest change
that matters, and a 95 % interval, it is *better* if the interval lies above m, *worse*
if it lies below -m, *same* if it lies within both, and *unknown* otherwise: a shift
that the seeds cannot separate from none is not the same as none.

Of thousands of rows some leave the margin by chance. Holm's correction over all rows
that differ at all keeps the probability of any false ``worse`` below 5 %, and that of
any false ``better`` likewise; what it takes back is ``unknown``, with both p-values.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
import numpy.typing as npt

from mae_bench.records.stats import CONFIDENCE, holm, p_value, student_interval
from mae_bench.verdicts.places import ENOUGH_SEEDS

Verdict = Literal["worse", "better", "same", "unknown", "new"]
Numbers = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Change:
    """One line of a comparison; the numbers are NaN where nothing was compared.

    Args:
        kind: ``quality``, or ``speed``: then change, interval and margin are natural
            logarithms of a ratio.
        name: What was compared: column -> value.
        verdict: See above; ``new`` is what only B has.
        reason: Why it is not what its numbers say, or has none.
        gap: Whether A has it and B could not be held against it.
        a: Mean of A, over what was compared.
        b: Mean of B.
        change: From A to B, positive if better; in the metric's unit.
        low: Lower end of its 95 % interval.
        high: Upper end.
        margin: Smallest change that matters.
        n: Seeds or samples.
        p_value: One-sided, of the change being beyond the margin on its own side.
        p_holm: The same, adjusted; see ``settle``.
    """

    kind: Literal["quality", "speed"]
    name: Mapping[str, str] = field(hash=False)
    verdict: Verdict
    reason: str = ""
    gap: bool = False
    a: float = math.nan
    b: float = math.nan
    change: float = math.nan
    low: float = math.nan
    high: float = math.nan
    margin: float = math.nan
    n: int = 0
    p_value: float = math.nan
    p_holm: float = math.nan


def verdict(low: float, high: float, margin: float) -> Verdict:
    """What an interval says; ends of NaN say nothing.

    >>> verdict(0.03, 0.09, 0.02), verdict(-0.01, 0.01, 0.02), verdict(0.0, 0.1, 0.02)
    ('better', 'same', 'unknown')
    """
    if low > margin:
        return "better"
    if high < -margin:
        return "worse"
    return "same" if low >= -margin and high <= margin else "unknown"


def paired(effects: npt.ArrayLike, margin: float, grain: float = 0.0) -> Change:
    """The verdict on differences by seed, without name and means.

    Args:
        effects: One difference a seed, positive if B is better.
        margin: Smallest change that matters, in the same unit.
        grain: Step by which a value can move, e.g. one image of those it counts.
            Equal differences beyond the margin, which would have no spread and be
            certain, get that of one step.

    Returns:
        ``same`` if all differences are 0; ``unknown`` if there are fewer than three.
    """
    d = np.asarray(effects, dtype=np.float64)
    mean = float(d.mean()) if d.size else math.nan
    blank = Change("quality", {}, "unknown", change=mean, margin=margin, n=d.size)
    if d.size and not d.any():
        return replace(blank, verdict="same", low=0.0, high=0.0)
    if d.size < ENOUGH_SEEDS:
        reason = f"{d.size} seeds in common; {ENOUGH_SEEDS} are needed"
        return replace(blank, reason=reason)
    if np.ptp(d) == 0 and abs(mean) > margin:
        d = d + grain * np.linspace(-0.5, 0.5, d.size)
    _, low, high = student_interval(d)
    p = p_value(math.copysign(1.0, mean) * d, margin)
    word = verdict(low, high, margin)
    return replace(blank, verdict=word, low=low, high=high, p_value=p)


def settle(changes: Sequence[Change]) -> list[Change]:
    """Correct the verdicts of one family of rows for their number, by Holm.

    The family is every change that has a p-value, that is, differs at all. Better and
    worse are two families: a row is tested on the side on which it lies, and counts
    with p = 1 on the other.
    """
    p = np.array([c.p_value for c in changes], dtype=np.float64)
    below = np.array([c.change < 0 for c in changes], dtype=bool)
    known = np.isfinite(p)
    sides = [holm(np.where(known & (below != side), 1.0, p)) for side in (True, False)]
    adjusted = np.where(below, sides[0], sides[1])
    return [
        _settled(change, float(q), int(known.sum()))
        for change, q in zip(changes, adjusted, strict=True)
    ]


def _settled(change: Change, p_holm: float, family: int) -> Change:
    found = replace(change, p_holm=p_holm)
    if found.verdict not in ("better", "worse") or math.isnan(p_holm):
        return found
    if p_holm < 1 - CONFIDENCE:
        return found
    reason = (
        f"{change.verdict} alone (p {change.p_value:.2g}), "
        f"not among {family} rows that differ"
    )
    return replace(found, verdict="unknown", reason=reason)


def counts(changes: Sequence[Change]) -> dict[str, int]:
    """How many there are of each verdict."""
    found = dict.fromkeys(("worse", "better", "same", "unknown", "new"), 0)
    for change in changes:
        found[change.verdict] += 1
    return found


def exit_code(changes: Sequence[Change]) -> int:
    """What a gate makes of it.

    ====  ==============================================================
    code  when
    ====  ==============================================================
    0     nothing is worse, and whatever A has was held against B: same,
          better, unknown (the seeds cannot tell) or new
    1     something is worse, whether or not all could be compared
    2     nothing that was compared is worse, but something that A has
          could not be, or nothing at all was compared
    ====  ==============================================================
    """
    if any(change.verdict == "worse" for change in changes):
        return 1
    if any(change.gap for change in changes):
        return 2
    return 0 if any(change.n for change in changes) else 2
