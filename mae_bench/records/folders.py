"""Where results lie: the published evidence, and a user's own beside it.

One rule for all verbs. What a user measures goes to a folder of her own,
``my_results``, and the published evidence, ``results``, is written only by who names
it. A verb that reads looks into her folder first, and into the published one where she
has measured nothing. Outside the repository that is the one of the checkout that the
package runs from, or else what came with the package: tables, and the leaderboard's
measurements; neither is written to there. A folder has rows of the same settings alone:
those of the experiments, or those that its ``settings.json`` names.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mae_bench.records.faults import HOUSE
from mae_bench.records.schema import UsageError, digest
from mae_bench.records.store import parse, write_atomically

OWN = Path("my_results")
PUBLISHED = Path("results")
CHECKOUT = HOUSE.parent / PUBLISHED  # of a package that was not copied from there
TAKEN_ALONG = HOUSE / "published"  # of a wheel
MADE = ("leaderboard.csv", "verdicts.csv")  # of measurements, and shown
PUBLISHED_TIER = "quick"
SETTINGS, REGISTERED = "settings.json", "registered.csv"
LONGEST = 80  # letters of a folder's name


@dataclass(frozen=True)
class Folders:
    """Where a verb reads, and where it writes.

    Args:
        read: Has the measurements.
        write: Takes what is made of them; the same, but for published measurements.
    """

    read: Path
    write: Path

    def find(self, name: str) -> Path:
        """A file that was made of the measurements: one's own, or else the published.

        It need not exist.
        """
        return next(
            (f / name for f in (self.write, self.read) if (f / name).exists()),
            self.write / name,
        )

    def __str__(self) -> str:
        """Both, in words."""
        if self.read == self.write:
            return f"read and wrote {self.read}"
        return f"read {self.read}, wrote {self.write}"


def own(tier: str, settings: Sequence[str] = ()) -> Path:
    """The folder that a user's runs of a tier go to.

    Args:
        tier: Tier id.
        settings: Of her own, sorted; they are in its name.

    >>> own("quick").as_posix(), own("quick", ["method.steps=3000"]).as_posix()
    ('my_results/quick', 'my_results/quick-steps=3000')
    """
    said = "-".join([tier, *(re.sub(r"^\w+\.", "", word) for word in settings)])
    name = re.sub(r"[^\w.=-]+", "-", said)[:LONGEST]
    # What is cut to one name need not be the same.
    return OWN / (name if name == said else f"{name}-{digest(*settings)[:8]}")


def keep_apart(folder: Path, settings: Sequence[str]) -> None:
    """Refuse a folder that has rows of other settings.

    Args:
        folder: Where rows are to go.
        settings: Of one's own, sorted.

    Raises:
        UsageError: It has, or does not tell.
    """
    there = settings_of(folder)
    if measured(folder) and there != list(settings):
        theirs, mine = (" ".join(words) or "none" for words in (there, settings))
        raise UsageError(
            f"{folder} has rows of other settings (there: {theirs}; now: {mine}); "
            "name another folder with --results"
        )


def settings_of(folder: Path) -> list[str]:
    """The settings of one's own that the rows of a folder have.

    Raises:
        UsageError: It does not tell.
    """
    path = folder / SETTINGS
    try:
        there = parse(path.read_bytes()) if path.exists() else []
        if not isinstance(there, list) or {*map(type, there)} - {str}:
            raise ValueError("no list of texts")
    except (OSError, ValueError) as error:
        raise UsageError(f"cannot read {path} ({error}); remove it") from error
    return [*map(str, there)]


def note(folder: Path, settings: Sequence[str]) -> None:
    """Write down the settings that the rows of a folder are to have.

    Raises:
        StoreError: The disk does not take it.
    """
    path = folder / SETTINGS
    if settings:
        write_atomically(path, f"{json.dumps(list(settings), indent=1)}\n".encode())
    else:
        path.unlink(missing_ok=True)


def measured(folder: Path) -> bool:
    """Whether a folder has measurements."""
    return any((folder / "measurements").glob("*.csv"))


def _made(folder: Path) -> bool:
    """Whether a folder has what is made of measurements."""
    return any((folder / name).exists() for name in MADE)


def _first(*places: Path) -> Path:
    """The first folder with results, as others than ours are called so too."""
    return next((f for f in places if measured(f) or _made(f)), PUBLISHED)


def published() -> Path:
    """The published folder, to be read; it may have nothing.

    It is the working folder's, or the checkout's that the package runs from, or else
    what came with the package.
    """
    return _first(PUBLISHED, CHECKOUT, TAKEN_ALONG)


def beside(results: Path | str | None, tier: str) -> Path:
    """Whose methods an encoder is placed among: the folder, which may have none."""
    if results is not None:
        return Path(results)
    return own(tier) if measured(own(tier)) else published()


def shown(results: Path | str | None, tier: str) -> Path:
    """The folder whose leaderboard and verdicts are shown; it may have none."""
    if results is not None:
        return Path(results)
    return own(tier) if _made(own(tier)) else published()


def registrations(results: Path | None = None) -> Folders:
    """Where ``registered.csv`` is read, and where it is written.

    It is published before there are results, so that it is written in the published
    folder in a checkout. Elsewhere one registers for oneself, beside what is published.

    Args:
        results: A folder that was named; it is read and written.
    """
    if results is not None or measured(PUBLISHED):
        return Folders(results or PUBLISHED, results or PUBLISHED)
    return Folders(published(), own(PUBLISHED_TIER))


def registered() -> Path:
    """The file of the registrations that rule; it need not exist."""
    return registrations().find(REGISTERED)


def folders(results: Path | None, tier: str) -> Folders:
    """Where a verb that reads measurements finds them.

    Args:
        results: A folder that was named; it is read and written.
        tier: Says which folder, if none was named.

    Raises:
        UsageError: There are no measurements.
    """
    whole = _first(PUBLISHED, CHECKOUT)  # not of a wheel, which has not all rows
    looked = [own(tier)] + [whole] * (tier == PUBLISHED_TIER)
    for folder in [results] if results is not None else looked:
        if measured(folder):
            return Folders(folder, results or own(tier))
    where = " or ".join(map(str, [results] if results is not None else looked))
    raise UsageError(f"no measurements in {where}; run mae-bench measure first")
