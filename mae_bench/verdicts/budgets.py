"""What labels can be read where methods may cost the same, and on the way there."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import pandas as pd

from mae_bench.metrics import Headline
from mae_bench.records.rows import matching, seed_means
from mae_bench.verdicts.read_outs import LABEL_PROBE, chosen, with_label_probe

AT_COST = Headline(metric="label_probe_at_cost", direction="max")
# Share of the steps -> the column of the accuracy there.
ON_THE_WAY: Mapping[float, str] = MappingProxyType(
    {stop: f"label_probe_at_1_{round(1 / stop)}" for stop in (0.125, 0.25, 0.5)}
)


def at_cost(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows of each method's own read-out, under the name of the headline.

    Args:
        rows: Of the experiment ``leaderboard_at_cost``, on one dataset. The read-out is
            chosen anew: another number of steps may have another best.
    """
    found = with_label_probe(rows, chosen(rows))
    mine = found[found["metric"] == LABEL_PROBE.metric]
    return mine.assign(metric=AT_COST.metric)


def on_the_way(
    rows: pd.DataFrame, reads: Mapping[str, str]
) -> dict[str, dict[str, float]]:
    """Method -> column -> mean accuracy over seeds at a share of the steps.

    Args:
        rows: Of the experiment ``learning_curves``, on one dataset.
        reads: Method -> its read-out at the end, which is that of the whole curve.
    """
    ends = matching(with_label_probe(rows, reads), {"status": "ok", "target": ""})
    mine = matching(ends, {"metric": LABEL_PROBE.metric, "token": LABEL_PROBE.token})
    means = seed_means(mine, "method", "stop").rename("mean").reset_index()
    table = means.pivot_table("mean", "method", "stop")
    table = table.reindex(columns=list(ON_THE_WAY))
    return {
        str(method): {name: float(of[stop]) for stop, name in ON_THE_WAY.items()}
        for method, of in table.iterrows()
    }
