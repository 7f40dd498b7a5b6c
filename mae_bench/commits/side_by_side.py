"""A comparison as Markdown for a pull request, and as JSON for machines."""

from __future__ import annotations

import json
import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict, replace

from mae_bench.commits.changes import Change, counts, exit_code
from mae_bench.commits.compare import Comparison

_ORDER = ("worse", "unknown", "better", "new", "same")
_GATE = (
    "passes: nothing is worse",
    "fails: something is worse",
    "incomplete: what A has could not all be held against B",
)
_LEGEND = {
    "quality": (
        "Change from A to B, positive is better, in the metric's unit; its 95 % "
        "interval over paired seeds; margin, the least change that matters; p beyond "
        "the margin, adjusted by Holm over {n} rows that differ at all."
    ),
    "speed": (
        "Ratio of seconds, B / A, with its 95 % interval; above 1 is slower; p beyond "
        "the margin, adjusted by Holm over {n} rows that differ at all."
    ),
}


def render(comparison: Comparison, every: bool = False) -> str:
    """Markdown: both sides, what was found, and the rows that are not the same.

    Args:
        comparison: What was found.
        every: Whether rows that are the same are shown as well.
    """
    found, code = comparison.changes, exit_code(comparison.changes)
    sides = [
        {"": "A", **comparison.a.facts()},
        {"": "B", **comparison.b.facts()},
    ]
    parts = [
        f"# compare {comparison.a.word} {comparison.b.word}",
        _table([list(sides[0]), *(list(side.values()) for side in sides)]),
        *(f"Note: {note}" for note in comparison.notes),
        f"**{summary(found)}** (exit {code}; {_GATE[code]})",
    ]
    for kind in ("quality", "speed"):
        rows = [c for c in found if c.kind == kind]
        shown = [c for c in _folded(rows) if every or c.verdict != "same"]
        if shown:
            n = sum(math.isfinite(c.p_value) for c in rows)
            lines = [_cells(c) for c in sorted(shown, key=_worst_first)]
            parts += [f"## {kind}", _table(_filled(lines))]
            parts += [_LEGEND[kind].format(n=n)] * (n > 0)
    return "\n\n".join(parts)


def summary(changes: Sequence[Change]) -> str:
    """How many there are of each verdict.

    >>> summary([Change("quality", {}, "same")])
    '0 worse, 0 better, 1 same, 0 unknown'
    """
    found = counts(changes)
    new = found.pop("new")
    words = [f"{n} {word}" for word, n in found.items()] + [f"{new} new"] * bool(new)
    return ", ".join(words)


def to_json(comparison: Comparison) -> str:
    """Everything, with numbers; what is not known is null."""
    changes = [
        {
            key: None if isinstance(value, float) and math.isnan(value) else value
            for key, value in asdict(change).items()
        }
        for change in comparison.changes
    ]
    record = {
        "a": comparison.a.facts(),
        "b": comparison.b.facts(),
        "notes": comparison.notes,
        "counts": counts(comparison.changes),
        "exit": exit_code(comparison.changes),
        "changes": changes,
    }
    return json.dumps(record, indent=1, allow_nan=False)


def _worst_first(change: Change) -> tuple[int, bool, float]:
    far = change.change / change.margin if change.margin else change.change
    far = -math.inf if math.isnan(far) else far
    return _ORDER.index(change.verdict), not change.gap, far


def _folded(changes: Sequence[Change]) -> list[Change]:
    """Rows that nothing was compared in, for the same reason, as one row with ``*``."""
    alike: dict[tuple[str, ...], list[Change]] = defaultdict(list)
    for i, change in enumerate(changes):
        alone = (str(i),) if change.n else ()
        place = change.name.get("tier", ""), change.name.get("experiment", "")
        alike[(change.verdict, change.reason, *place, *alone)].append(change)
    return [_together(group) for group in alike.values()]


def _together(group: Sequence[Change]) -> Change:
    if len(group) == 1:
        return group[0]
    names = {
        column: value if all(c.name[column] == value for c in group) else "*"
        for column, value in group[0].name.items()
    }
    reason = f"{len(group)} rows {group[0].reason}".rstrip()
    return replace(group[0], name=names, reason=reason)


def _cells(change: Change) -> dict[str, str]:
    """A row of the table, by column."""
    name = dict(change.name)
    if change.kind == "quality":
        words = ("metric", "token", "target", "view")
        said = [w for w in (name.pop(w) for w in words) if w not in ("", "unmasked")]
        name["metric"] = "whole cell" if not said else " ".join(said)
    return {
        "verdict": change.verdict,
        **name,
        "A": _number(change.a),
        "B": _number(change.b),
        **_shift(change),
        "n": str(change.n or ""),
        "p": "" if math.isnan(change.p_holm) else f"{change.p_holm:.2g}",
        "reason": change.reason,
    }


def _shift(change: Change) -> dict[str, str]:
    """Change, interval and margin: of speed as the ratio B / A."""
    ends = change.low, change.high
    if change.kind == "speed":
        found = {"B / A": _number(math.exp(-change.change))}
        ends = math.exp(-change.high), math.exp(-change.low)
        limit = math.exp(change.margin)
    else:
        found, limit = {"change": _number(change.change, "+")}, change.margin
    known = not math.isnan(ends[0])
    words = f"[{_number(ends[0])}, {_number(ends[1])}]" if known else ""
    return {**found, "interval": words, "margin": _number(limit)}


def _number(value: float, sign: str = "") -> str:
    """Four significant digits; nothing for NaN.

    >>> _number(0.0123456), _number(2.0, "+"), _number(math.nan)
    ('0.01235', '+2', '')
    """
    return "" if math.isnan(value) else f"{value:{sign}.4g}"


def _filled(lines: Sequence[dict[str, str]]) -> list[list[str]]:
    """Header and rows; columns that are empty, or a tier all over, are left out."""
    names = list(dict.fromkeys(name for line in lines for name in line))
    used = [n for n in names if any(line.get(n) for line in lines)]
    if len({line.get("tier") for line in lines}) == 1:
        used = [n for n in used if n != "tier"]  # the sides' table says it
    return [used, *([line.get(name, "") for name in used] for line in lines)]


def _table(lines: Sequence[Sequence[str]]) -> str:
    """An aligned table of Markdown; the first line is its head."""
    escaped = [[cell.replace("|", "\\|") for cell in line] for line in lines]
    widths = [max(3, *map(len, column)) for column in zip(*escaped, strict=True)]
    padded = [
        [cell.ljust(width) for cell, width in zip(line, widths, strict=True)]
        for line in [*escaped[:1], ["-" * w for w in widths], *escaped[1:]]
    ]
    return "\n".join(f"| {' | '.join(line)} |" for line in padded)
