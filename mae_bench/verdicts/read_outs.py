"""Each method's own best read-out of labels, as its validation images choose it.

One read-out for all would say more of the read-out: what masked methods learn is spread
over tokens that their mean blurs (Przewiezlikowski et al. 2025, arXiv 2412.03215).
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

import pandas as pd

from mae_bench.metrics import Headline
from mae_bench.records.rows import SHUFFLED, VALIDATION, matching, seed_means

LABEL_PROBE = Headline(metric="label_probe", direction="max")


class Probe(NamedTuple):
    """A read-out: rows of a metric, of a token."""

    metric: str
    token: str


READS: Mapping[str, Probe] = MappingProxyType(
    {
        "linear mean": Probe("linear_probe", "mean"),
        "linear cls": Probe("linear_probe", "cls"),
        "attentive": Probe("attentive_probe", "patches"),
    }
)


def chosen(rows: pd.DataFrame) -> dict[str, str]:
    """Method -> its read-out of the best mean accuracy on validation images.

    Of read-outs that failed in some seeds those of most seeds are compared. Test
    images have no say.

    Args:
        rows: Of one dataset.

    Returns:
        Names of ``READS``; methods without a validation accuracy are absent.
    """
    best: dict[str, tuple[int, float]] = {}
    found: dict[str, str] = {}
    for name, (metric, token) in READS.items():
        where = {"metric": metric, "token": token + VALIDATION, "status": "ok"}
        values = seed_means(matching(rows, where), "method").groupby("method")
        for method, of in values:
            score = int(of.count()), float(of.mean())
            if of.count() and score > best.get(str(method), (0, 0.0)):
                best[str(method)], found[str(method)] = score, name
    return found


def with_label_probe(rows: pd.DataFrame, reads: Mapping[str, str]) -> pd.DataFrame:
    """The rows, and those of each method's read-out once more, as ``label_probe``.

    Args:
        rows: Of one dataset.
        reads: See ``chosen``.
    """
    again = [rows]
    metrics = [READS[name].metric for name in {*reads.values()}]
    read = rows[rows["metric"].isin(metrics) & (rows["target"] == "")]
    for method, name in reads.items():
        mine = read[read["method"] == method]
        metric, token = READS[name]
        for end in ("", SHUFFLED):
            found = matching(mine, {"metric": metric, "token": token + end})
            alias = {"metric": LABEL_PROBE.metric, "token": LABEL_PROBE.token + end}
            again.append(found[found["metric"] == metric].assign(**alias))
    return pd.concat(again, ignore_index=True)
