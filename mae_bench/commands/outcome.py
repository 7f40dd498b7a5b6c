"""What a run has decided, in a few lines: how many, which are new, what to look at."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

from mae_bench.commands.claims import rows_of
from mae_bench.records.folders import PUBLISHED_TIER, own
from mae_bench.records.ruling import RULINGS
from mae_bench.records.schema import UsageError

DECIDED = ("supported", "refuted")
NOT_EVIDENCE = "tier smoke is not evidence: it shows that everything runs"
SHOWN = 5  # new ones that are named


def words_of(folder: Path) -> dict[str, str]:
    """Prediction -> verdict, of a folder's, without claims made false on purpose.

    What cannot be read says nothing: it is about to be made again.
    """
    try:
        rows = [*rows_of(folder / "verdicts.csv")]
    except UsageError:
        return {}
    return {
        row["prediction"]: row["verdict"]
        for row in rows
        if not row["standing"].startswith("planted")
    }


def told(
    before: Mapping[str, str], after: Mapping[str, str], folder: Path, tier: str
) -> Iterator[str]:
    """What is said at the end of a run.

    Args:
        before: Verdicts that there were.
        after: Those that there are.
        folder: Where they are.
        tier: Of the cells.
    """
    counts = Counter(after.values())
    said = [f"{counts[word]} {_plain(word)}" for word in RULINGS if counts[word]]
    yield f"{len(after)} predictions: {', '.join(said)}"
    new = {
        key: word
        for key, word in after.items()
        if word in DECIDED and before.get(key) != word
    }
    named = [f"{key} {word}" for key, word in list(new.items())[:SHOWN]]
    more = [f"and {len(new) - SHOWN} more"] if len(new) > SHOWN else []
    yield f"new: {', '.join([*named, *more]) or 'nothing is decided that was not'}"
    if tier == "smoke":
        yield NOT_EVIDENCE
    place = "" if tier == PUBLISHED_TIER else f" --tier {tier}"
    if folder != own(tier):
        place += f" --results {folder}"
    look = [f"mae-bench info {key}{place}" for key in [*new][:1]]
    yield f"next: {'; '.join([*look, f'mae-bench site{place}'])}"


def _plain(word: str) -> str:
    return word.replace("_", " ")
