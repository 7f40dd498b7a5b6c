"""Our numbers as asv's result files, so that its show, compare and publish see them.

One file a commit and environment, as asv 0.6.6 writes them (result files version 2,
``benchmarks.json`` version 2, ``machine.json`` version 1), by the standard library: to
feed asv it need not be installed. A lock in the folder keeps two writers apart.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from filelock import FileLock
from scipy import stats

from mae_bench.commits.errors import Errors
from mae_bench.records.schema import UsageError
from mae_bench.records.store import Record, parse, write_atomically

VERSION = "1"
TIMEOUT = 60
_AWAY = "take it away: it is made again"


@dataclass(frozen=True)
class Series:
    """What asv calls a benchmark; ``benchmarks/quality.py`` has one of the same name.

    Args:
        name: As asv discovers it.
        param_names: What a point's entries are called.
        unit: Of the values; positive, and less is better.
    """

    name: str
    param_names: tuple[str, ...]
    unit: str


LEADERBOARD = Series(
    "quality.Leaderboard.track_error", ("dataset", "method", "headline"), "error"
)
FORECASTS = Series("quality.Forecasts.track_gap", ("theory",), "1 - tau")
_COLUMNS = (
    "result",
    "params",
    "version",
    "started_at",
    "duration",
    "stats_ci_99_a",
    "stats_ci_99_b",
    "stats_q_25",
    "stats_q_75",
    "stats_number",
    "stats_repeat",
    "samples",
)


@dataclass(frozen=True)
class Origin:
    """Where a file's numbers come from.

    Args:
        commit: Full hash.
        date: Of the commit, in milliseconds since 1970.
        kind: ``quality`` or ``speed``: each has a file of its own.
        tier: Tier id; empty for speed.
        python: ``3.11``.
        torch: ``2.13.0``; with another one a new series starts.
    """

    commit: str
    date: int
    kind: str
    tier: str
    python: str
    torch: str

    @property
    def environment(self) -> str:
        """Name of it in asv; ``asv run`` has others, and overwrites none of ours."""
        words = (self.kind, self.tier, f"py{self.python}", f"torch{self.torch}")
        return "-".join(word for word in words if word)


def feed(
    folder: Path,
    machine: Record,
    origin: Origin,
    found: Mapping[Series, Errors | None],
) -> Path:
    """Write the file of one commit.

    Args:
        folder: asv's results.
        machine: See ``host.this_machine``; what the folder already says of a machine
            of that name is kept as it stands.
        origin: Where the numbers come from.
        found: Errors by point; None for a gap: asv shows all its points as failed.

    Returns:
        The file.

    Raises:
        StoreError: The folder cannot be written.
    """
    with locked(folder):
        known = {name: _points(folder, name) for name in (s.name for s in found)}
        # A gap before anything was measured has no points to announce.
        named = [s for s in found if found[s] is not None or known[s.name]]
        _announce(folder, {s.name: _entry(s, found[s], known[s.name]) for s in named})
        rows = {
            s.name: _row(errors, _axes(s, errors, known[s.name]))
            for s, errors in found.items()
        }
        return _write(folder, machine, origin, rows, list(_COLUMNS))


def adopt(folder: Path, machine: Record, origin: Origin, results: Path) -> Path | None:
    """Take over what an ``asv run`` of one commit left, under a name of our own.

    Args:
        folder: asv's results.
        machine: See ``feed``.
        origin: Where the numbers come from.
        results: Folder that ``asv run`` wrote.

    Returns:
        The file; None if asv left none.
    """
    files = [p for p in results.glob("*/*.json") if p.name != "machine.json"]
    if not files:
        return None
    ran = parse(files[0].read_bytes())
    with locked(folder):
        told = parse((results / "benchmarks.json").read_bytes())
        _announce(folder, {k: v for k, v in told.items() if k != "version"})
        return _write(folder, machine, origin, ran["results"], ran["result_columns"])


def gap_of_speed(folder: Path, machine: Record, origin: Origin) -> Path:
    """Say that a commit's speed could not be taken, of every benchmark known so far."""
    with locked(folder):
        known = _benchmarks(folder)
        rows = {
            name: [None, known[name]["params"], known[name]["version"]]
            for name in sorted(known)
            if not name.startswith("quality.")
        }
        return _write(folder, machine, origin, rows, list(_COLUMNS))


def locked(folder: Path) -> FileLock:
    """The lock of a folder of results; made with the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    return FileLock(folder / ".lock")


def _benchmarks(folder: Path) -> dict[str, Record]:
    path = folder / "benchmarks.json"
    found = _facts_of(path) if path.exists() else {}
    for name, entry in found.items():
        known = isinstance(entry, dict) and {"params", "version"} <= entry.keys()
        if not known or not all(isinstance(axis, list) for axis in entry["params"]):
            raise UsageError(f"{path} says of {name[:40]!r} what asv does not; {_AWAY}")
    return found


def _facts_of(path: Path) -> Record:
    """What a file of asv's says, but for its version; refused if it is none."""
    try:
        told = dict(parse(path.read_bytes()))
    except (OSError, ValueError, TypeError) as error:
        raise UsageError(f"cannot read {path}: {error}; {_AWAY}") from error
    return {name: fact for name, fact in told.items() if name != "version"}


def _announce(folder: Path, entries: Mapping[str, Record]) -> None:
    """Add benchmarks, and points of theirs, to those that the folder knows.

    What an older commit lacks is not forgotten: asv shows the points that are here.
    """
    told = _benchmarks(folder)
    for name, entry in entries.items():
        old, new = told.get(name, entry)["params"], entry["params"]
        # Other parameters than before: what was before is another benchmark.
        pairs = zip(new, old, strict=True) if len(old) == len(new) else ()
        axes = [list(dict.fromkeys([*a, *b])) for a, b in pairs]
        told[name] = dict(entry) | {"params": axes or new}
    _dump(folder / "benchmarks.json", {**dict(sorted(told.items())), "version": 2})


def _points(folder: Path, name: str) -> list[list[str]]:
    """Values of each parameter that the folder knows, as asv writes them."""
    return [list(axis) for axis in _benchmarks(folder).get(name, {}).get("params", [])]


def _axes(series: Series, errors: Errors | None, known: list[list[str]]) -> list[Any]:
    """Values of each parameter in this file; a gap has those known so far."""
    if errors is None:
        return known
    columns = zip(*errors, strict=True) if errors else [()] * len(series.param_names)
    return [sorted({repr(value) for value in column}) for column in columns]


def _entry(series: Series, errors: Errors | None, known: list[list[str]]) -> Record:
    """A benchmark as ``benchmarks.json`` has it."""
    return {
        "code": f"{series.name} reads the history and trains nothing",
        "name": series.name,
        "param_names": list(series.param_names),
        "params": _axes(series, errors, known),
        "timeout": TIMEOUT,
        "type": "track",
        "unit": series.unit,
        "version": VERSION,
    }


def _row(errors: Errors | None, axes: list[list[str]]) -> list[Any]:
    """The entries of ``_COLUMNS`` for one benchmark."""
    now = int(time.time() * 1000)
    if errors is None:
        return [None, axes, VERSION, now]
    by_repr = {tuple(map(repr, point)): samples for point, samples in errors.items()}
    points = list(product(*axes))
    # A failure is null, shown as failed; what does not apply is NaN, shown as n/a.
    results = [
        None if by_repr.get(p, ()) is None else _median(by_repr.get(p)) for p in points
    ]
    facts = [_facts(by_repr.get(point) or []) for point in points]
    columns = [list(column) for column in zip(*facts, strict=True)] or [[]] * 7
    return [results, axes, VERSION, now, None, *columns]


def _median(samples: list[float] | None) -> float:
    return round(float(np.median(samples)), 6) if samples else math.nan


def _facts(samples: list[float]) -> list[Any]:
    """99 % interval (Student, of the mean), quartiles, counts and samples."""
    if not samples:
        return [None] * 7
    low, high = -math.inf, math.inf
    if len(samples) > 1:
        error = float(np.std(samples, ddof=1)) / math.sqrt(len(samples))
        half = float(stats.t.ppf(0.995, len(samples) - 1)) * error
        mean = float(np.mean(samples))
        low, high = mean - half, mean + half
    numbers = (low, high, *np.quantile(samples, (0.25, 0.75)))
    return [*(round(float(x), 6) for x in numbers), 1, len(samples), samples]


def _write(
    folder: Path,
    machine: Record,
    origin: Origin,
    rows: Mapping[str, list[Any]],
    columns: list[str],
) -> Path:
    """The machine's file, if it has none yet, and the commit's."""
    home = folder / str(machine["machine"])
    told = home / "machine.json"
    if told.exists():
        machine = _facts_of(told)
    else:
        _dump(told, {**machine, "version": 1})
    params = {"python": origin.python, "torch": origin.torch, "tier": origin.tier}
    content = {
        "commit_hash": origin.commit,
        "env_name": origin.environment,
        "date": origin.date,
        "params": machine | params,
        "python": origin.python,
        "requirements": {},
        "env_vars": {},
        "result_columns": columns,
        "results": rows,
        "durations": {},
        "version": 2,
    }
    path = home / f"{origin.commit[:8]}-{origin.environment}.json"
    _dump(path, content)
    return path


def _dump(path: Path, content: Record) -> None:
    """Results on one line, as asv has them; what is read by people on many."""
    indent = None if "results" in content else 1
    write_atomically(path, (json.dumps(content, indent=indent) + "\n").encode())
