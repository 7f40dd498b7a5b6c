"""What rows of one's own lack, and for which predictions: in one line."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

# So many are named one by one; of more, those of which the metric is there.
_FEW = 12
_WAYS = 8
# By how near a prediction is; see ``compared.Lacking``.
_KINDS = {3: "levels or seeds", 2: "other rows", 1: "a column", 0: "a metric"}


def in_one_line(missing: pd.DataFrame) -> str:
    """Which predictions want what, those that lack least first.

    Args:
        missing: ``prediction``, ``missing`` and ``near``, as ``own.judge_own`` has
            them.

    >>> lacks = [("t/A1", "4 seeds (there are 3)", 3), ("t/A2", "metric mcc", 0)]
    >>> in_one_line(pd.DataFrame(lacks, columns=["prediction", "missing", "near"]))
    'A1 wants 4 seeds (there are 3); A2 wants metric mcc'
    """
    told = missing if len(missing) <= _FEW else missing[missing["near"] > 0]
    groups = [(what, rows) for what, rows in told.groupby("missing", sort=False)]
    groups.sort(key=lambda each: (-each[1]["near"].max(), -len(each[1])))
    ways = [(numbers_of(rows["prediction"]), what) for what, rows in groups]
    said = [_want(", ".join(who), len(who), str(what)) for who, what in ways[:_WAYS]]
    if rest := sum(len(who) for who, _ in ways[_WAYS:]):
        said.append(_want(f"{rest} more", rest, "other columns or rows"))
    if absent := len(missing) - len(told):
        said.append(_want(str(absent), absent, "metrics that are not there"))
    return "; ".join(said)


def _want(who: str, count: int, what: str) -> str:
    return f"{who} {'wants' if count == 1 else 'want'} {what}"


def in_kinds(missing: pd.DataFrame) -> str:
    """How many predictions want what kind of thing.

    >>> in_kinds(pd.DataFrame({"near": [3, 0, 0]}))
    '1 for want of levels or seeds, 2 of a metric'
    """
    counts = missing["near"].value_counts()
    said = [
        f"{counts[near]} of {kind}" for near, kind in _KINDS.items() if near in counts
    ]
    return ", ".join(said).replace(" of ", " for want of ", 1)


def numbers_of(predictions: Sequence[str] | pd.Series[str]) -> list[str]:
    """Predictions without their theories.

    >>> numbers_of(["hierarchical_latents/K5"])
    ['K5']
    """
    return [key.partition("/")[2] for key in predictions]
