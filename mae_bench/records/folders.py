"""Where results lie: the published evidence, and a user's own beside it.

One rule for all verbs. What a user measures goes to a folder of her own,
``my_results``, and the published evidence, ``results``, is written only by who names
it. A verb that reads looks into her folder first, and into the published one where she
has measured nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from mae_bench.records.schema import UsageError

OWN = Path("my_results")
PUBLISHED = Path("results")
PUBLISHED_TIER = "quick"


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


def own(tier: str) -> Path:
    """The folder that a user's runs of a tier go to.

    >>> own("quick").as_posix()
    'my_results/quick'
    """
    return OWN / tier


def measured(folder: Path) -> bool:
    """Whether a folder has measurements."""
    return any((folder / "measurements").glob("*.csv"))


def beside(results: Path | str | None, tier: str) -> Path:
    """Whose methods an encoder is placed among: the folder, which may have none."""
    if results is not None:
        return Path(results)
    return own(tier) if measured(own(tier)) else PUBLISHED


def shown(results: Path | str | None, tier: str) -> Path:
    """The folder whose leaderboard and verdicts are shown; it may have none."""
    if results is not None:
        return Path(results)
    made = [own(tier) / name for name in ("leaderboard.csv", "verdicts.csv")]
    return own(tier) if any(path.exists() for path in made) else PUBLISHED


def registrations(results: Path | None) -> Path:
    """The file of registered predictions.

    It is published before there are results, so that it lies in the published folder
    where there is one: in a checkout. Elsewhere one registers for oneself.

    Args:
        results: A folder that was named.
    """
    usual = PUBLISHED if measured(PUBLISHED) else own(PUBLISHED_TIER)
    return (results or usual) / "registered.csv"


def folders(results: Path | None, tier: str) -> Folders:
    """Where a verb that reads measurements finds them.

    Args:
        results: A folder that was named; it is read and written.
        tier: Says which folder, if none was named.

    Raises:
        UsageError: There are no measurements.
    """
    looked = [own(tier)] + [PUBLISHED] * (tier == PUBLISHED_TIER)
    for folder in [results] if results is not None else looked:
        if measured(folder):
            return Folders(folder, results or own(tier))
    where = " or ".join(map(str, [results] if results is not None else looked))
    raise UsageError(f"no measurements in {where}; run mae-bench measure first")
