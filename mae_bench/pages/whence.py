"""Where the numbers of a site come from: tier, seeds, commits, whose seeds ruled."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from operator import itemgetter
from pathlib import Path

from mae_bench import __version__
from mae_bench.pages.cards import Row
from mae_bench.pages.scorecard import NEW
from mae_bench.records.machine import of_row
from mae_bench.records.schema import UsageError
from mae_bench.verdicts.planting import PLANTED

_KNOWN = ("tier", "seed", "commit", "device", "versions")


@dataclass(frozen=True)
class Whence:
    """What stands at the foot of every page.

    Args:
        tiers: Of the measurements; none without them.
        seeds: In words.
        commits: At which they were measured.
        pilot: Predictions that seeds of the pilot judged, without planted nulls.
        new: Those that new seeds judged.
        confirmed: Those of which new seeds say what the pilot said.
        date: Of the site.
        commit: Of the code that made it; empty of an installed package.
        version: Of that code.
        processors: Kinds on which the rows were computed, as far as they say.
    """

    tiers: Sequence[str] = ()
    seeds: str = ""
    commits: Sequence[str] = ()
    pilot: int = 0
    new: int = 0
    confirmed: int = 0
    date: str = ""
    commit: str = ""
    version: str = __version__
    processors: Sequence[str] = ()


def whence(
    measurements: Sequence[Path],
    verdicts: Sequence[Row],
    *,
    date: str = "",
    commit: str = "",
) -> Whence:
    """Read it off the rows.

    Args:
        measurements: Their CSVs.
        verdicts: ``verdicts.csv``.
        date: Of the site.
        commit: Of the code that makes it.

    Raises:
        UsageError: A CSV is no text.
    """
    rows = {row for path in measurements for row in _rows(path)}
    tiers, seeds, commits = (sorted({row[k] for row in rows} - {""}) for k in range(3))
    judged = [row for row in verdicts if not row["standing"].startswith(PLANTED)]
    judged = [row for row in judged if row["verdict"] != "not_measured"]
    new = [row for row in judged if row["phase"] == NEW]
    return Whence(
        tiers,
        spans([int(seed) for seed in seeds if seed.isdecimal()]),
        commits,
        len(judged) - len(new),
        len(new),
        sum(row["confirmed"] == "yes" for row in new),
        date,
        commit,
        processors=sorted({of_row(*row[3:]) for row in rows} - {""}),
    )


def _rows(path: Path) -> Iterator[tuple[str, ...]]:
    """Those columns of each row; nothing of a file that lacks one."""
    try:
        with path.open(newline="", encoding="utf-8") as file:
            lines = csv.reader(file)
            head = next(lines, [])
            if {*_KNOWN} <= {*head}:
                at = [head.index(name) for name in _KNOWN]
                of, last = itemgetter(*at), max(at)
                yield from (of(line) for line in lines if len(line) > last)
    except (OSError, ValueError, csv.Error) as error:
        raise UsageError(f"cannot read {path}: {error}") from error


def spans(numbers: Sequence[int]) -> str:
    """Whole numbers in words, neighbours as spans.

    >>> spans([4, 0, 1, 2, 7])
    '0 to 2, 4, 7'
    """
    found: list[list[int]] = []
    for number in sorted(numbers):
        if found and number == found[-1][-1] + 1:
            found[-1].append(number)
        else:
            found.append([number])
    return ", ".join(
        f"{run[0]} to {run[-1]}" if len(run) > 1 else f"{run[0]}" for run in found
    )
