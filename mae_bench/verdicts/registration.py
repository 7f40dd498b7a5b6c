"""Predictions by the hash of all that decides them, and the seeds that may judge them.

Seeds that were looked at while margins were set are the pilot. A verdict comes from
confirmatory seeds, which nobody had seen when the prediction was registered; one that
is changed is another one, and begins with seeds that were not seen by then.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping
from dataclasses import MISSING, Field, asdict, dataclass, fields, is_dataclass
from datetime import date as Date
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from mae_bench.experiments import Experiment
from mae_bench.metrics import Metric
from mae_bench.predictions import Control
from mae_bench.records.rows import Measurements
from mae_bench.records.schema import Tier, UsageError, digest
from mae_bench.records.store import write_atomically
from mae_bench.theories import Prediction, Theory
from mae_bench.verdicts.cells import cells_of

PILOT = range(5)
# Words, and what makes itself felt through the cells.
_UNTOLD: Mapping[type, frozenset[str]] = {
    Prediction: frozenset(
        {"claim", "place", "refuted_by", "margin_reason", "standing"}
    ),
    Control: frozenset({"reason"}),
    Experiment: frozenset({"question", "expected", "cost", "drawn", "metrics"})
    | {"datasets", "methods", "factors", "without", "settings", "by_world", "budgets"}
    | {"chosen"},
    # How many seeds there are, and how long a cell may take, moves no number.
    Tier: frozenset({"seeds", "time_limit"}),
}


@dataclass(frozen=True)
class Registration:
    """A prediction as it was when it was registered.

    Args:
        prediction: Its id, e.g. ``hierarchical_latents/K4``.
        hash: Of all that decides it; see ``hash_of``.
        date: Day of the registration, ISO 8601.
        commit: Of the code, or the one before it where changes were not yet
            committed; empty if there is none.
        first_seed: The first that nobody had seen.
    """

    prediction: str
    hash: str
    date: str
    commit: str
    first_seed: int


COLUMNS = tuple(field.name for field in fields(Registration))


class Differences(NamedTuple):
    """Where code and file disagree: ids of predictions, sorted.

    Args:
        new: Not registered.
        changed: Registered by another hash.
        gone: Registered, and no longer in the code.
    """

    new: list[str]
    changed: list[str]
    gone: list[str]


def hash_of(prediction: Prediction, tier: Tier) -> str:
    """16 hex digits of all that decides a prediction, and of none of its words.

    That is its form, filters, control, metrics and version; every cell that it, its
    control or its ceiling speaks of, with all settings and versions; what else its
    experiment says, such as the views; and the tier. A field at its default is left
    out: one that is new changes no claim that is older.

    Raises:
        TypeError: A field that has no place in a hash, such as a function.
    """
    experiment = prediction.experiment
    cells = [[cell.key, dict(at)] for cell, at in cells_of(prediction, tier, range(1))]
    cells = sorted((_told(cell) for cell in cells), key=repr)
    return digest(experiment.id, _told(prediction), _told(tier), cells)


def _told(thing: Any) -> Any:
    """What JSON can say of a thing, without its words and without its defaults."""
    if isinstance(thing, Metric):
        return [thing.id, thing.version]
    if is_dataclass(thing):
        untold = _UNTOLD.get(type(thing), frozenset())
        told = {
            f.name: _told(getattr(thing, f.name))
            for f in fields(thing)
            if f.name not in untold and getattr(thing, f.name) != _default(f)
        }
        return [type(thing).__name__, told]
    if isinstance(thing, Mapping):
        return {name: _told(value) for name, value in thing.items()}
    if isinstance(thing, tuple | list):
        return [_told(value) for value in thing]
    if isinstance(thing, float):
        return float(f"{thing:.12g}")  # a logarithm's last bit is its library's
    if thing is None or isinstance(thing, str | int):
        return thing
    raise TypeError(f"{thing!r} of a prediction cannot be registered")


def _default(field: Field[Any]) -> Any:
    if field.default_factory is not MISSING:
        return field.default_factory()
    return field.default


def history(path: Path) -> list[Registration]:
    """All that was ever registered, the oldest first; nothing without a file.

    Raises:
        UsageError: A line that cannot be, with its number.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return []
    except (OSError, ValueError) as error:  # unreadable, or not UTF-8
        raise UsageError(f"cannot read {path}: {error}") from error
    found: list[Registration] = []
    header, *lines = csv.reader(text.splitlines() or [""])
    if header != list(COLUMNS):
        raise UsageError(f"{path}, line 1: {','.join(header)!r} is no {COLUMNS}")
    for number, line in enumerate(lines, 2):
        if fault := _fault(line, found):
            said = f"{path}, line {number}: {','.join(line)[:60]!r}"
            raise UsageError(f"{said} {fault}")
        found.append(Registration(line[0], line[1], line[2], line[3], int(line[4])))
    return found


def _fault(line: list[str], former: list[Registration]) -> str | None:
    """What is wrong with a line, after those before it."""
    if len(line) != len(COLUMNS):
        return f"has {len(line)} fields, and not {len(COLUMNS)}"
    name, key, day, commit, first = line
    checks = {
        "names no theory/prediction": re.fullmatch(r"[^/\s]+/[^/\s]+", name),
        "has no hash of 16 hex digits": re.fullmatch(r"[0-9a-f]{16}", key),
        "has no date such as 2026-01-31": _is_date(day),
        "has no commit": re.fullmatch(r"[0-9a-f]{7,40}|", commit),
        f"has no seed from {PILOT.stop} on": re.fullmatch(r"[0-9]{1,9}", first)
        and int(first) >= PILOT.stop,
    }
    fault = next((what for what, right in checks.items() if not right), None)
    before = next((r for r in reversed(former) if r.prediction == name), None)
    if fault or before is None:
        return fault
    if before.hash == key:
        return "is registered by this hash already"
    older = before.first_seed > int(first)
    return f"takes seeds before those of its older hash, {before.first_seed}" * older


def _is_date(day: str) -> bool:
    try:
        return Date.fromisoformat(day).isoformat() == day
    except ValueError:
        return False


def registered(path: Path) -> dict[str, Registration]:
    """Prediction -> its newest registration, which rules.

    Raises:
        UsageError: A line that cannot be, with its number.
    """
    return {one.prediction: one for one in history(path)}


def _predictions(theories: Mapping[str, Theory]) -> dict[str, Prediction]:
    found = [(n, k, p) for n, t in theories.items() for k, p in t.predictions.items()]
    return {f"{name}/{number}": prediction for name, number, prediction in found}


def differences(
    theories: Mapping[str, Theory], path: Path, *, tier: Tier
) -> Differences:
    """Hold the code against the file.

    Raises:
        UsageError: See ``history``.
    """
    rules, claims = registered(path), _predictions(theories)
    return Differences(
        sorted(claims.keys() - rules.keys()),
        sorted(
            key
            for key in claims.keys() & rules.keys()
            if rules[key].hash != hash_of(claims[key], tier)
        ),
        sorted(rules.keys() - claims.keys()),
    )


def register(
    theories: Mapping[str, Theory],
    measurements: Measurements,
    path: Path,
    *,
    tier: Tier,
    date: str,
    commit: str,
    to: Path | None = None,
) -> list[Registration]:
    """Add a row for every prediction that is new or has changed; history is kept.

    Args:
        theories: By id.
        measurements: Experiment id -> all its rows that anybody may have looked at.
        path: The file.
        tier: Of the cells that will judge.
        date: Of today, ISO 8601.
        commit: Of the code.
        to: Takes the file with what is new; the same one by default.

    Returns:
        What was added.

    Raises:
        UsageError: See ``history``.
        StoreError: The disk does not take it.
    """
    before, claims = history(path), _predictions(theories)
    found = differences(theories, path, tier=tier)
    rules = {one.prediction: one.first_seed for one in before}
    added = [
        Registration(
            key,
            hash_of(claims[key], tier),
            date,
            commit,
            max(rules.get(key, 0), _unseen(claims[key].experiment.id, measurements)),
        )
        for key in sorted([*found.new, *found.changed])
    ]
    if added:
        table = pd.DataFrame([asdict(one) for one in [*before, *added]])
        text = table.to_csv(index=False, lineterminator="\n")
        write_atomically(to or path, text.encode())
    return added


def _unseen(experiment: str, measurements: Measurements) -> int:
    """The first seed, after the pilot, beyond all that an experiment has rows of."""
    if experiment not in measurements:
        return PILOT.stop
    rows = measurements[experiment]
    seen = rows.loc[rows["status"] != "missing", "seed"]
    return max(PILOT.stop, int(seen.max()) + 1 if len(seen) else 0)
