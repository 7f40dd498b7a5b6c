"""The leaderboard: where each method stands, between the floor and the ceiling.

A rank is an interval, see ``places``, among the methods of a track, which are told the
same; references are not ranked. What failed is named and neither ranked nor imputed.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from mae_bench.experiments.leaderboard import LEADERBOARD
from mae_bench.metrics import Headline, Metric
from mae_bench.records.faults import WrongPart
from mae_bench.records.rows import (
    COLUMNS,
    SHUFFLED,
    Measurements,
    matching,
    over_roundings,
    seed_means,
    write_table,
)
from mae_bench.records.schema import TRACKS, Track
from mae_bench.records.stats import student_interval
from mae_bench.records.words import Words, order_by, shared
from mae_bench.verdicts.budgets import AT_COST, ON_THE_WAY, at_cost, on_the_way
from mae_bench.verdicts.evidence import failures
from mae_bench.verdicts.places import rank_intervals
from mae_bench.verdicts.read_outs import LABEL_PROBE, chosen, with_label_probe
from mae_bench.verdicts.tracks import track_of

# At equal steps, at equal cost, and on the way.
RANKED = ("leaderboard", "leaderboard_at_cost", "learning_curves")
FLOOR, CEILING = "random_init", "oracle_latents"


def columns_of(metrics: Sequence[Metric]) -> tuple[Headline, ...]:
    """Every headline of some metrics, in their order.

    Raises:
        WrongPart: Two have the same column.
    """
    found: dict[str, Headline] = {}
    for headline in (h for metric in metrics for h in metric.headlines):
        name = headline.name
        if name in found:
            raise WrongPart(
                f"metric {headline.metric}: the leaderboard has a column {name} of "
                f"{found[name].metric}; declare a headline with another target"
            )
        found[name] = headline
    return tuple(found.values())


def _label_probe_first(headlines: Sequence[Headline]) -> tuple[Headline, ...]:
    """With the read-out of labels that each method chooses before the others."""
    at = [headline.metric for headline in headlines].index("linear_probe")
    return (*headlines[:at], LABEL_PROBE, AT_COST, *headlines[at:])


HEADLINES = columns_of(LEADERBOARD.metrics)
SHOWN = _label_probe_first(HEADLINES)
LABEL_PROBE_READ = f"{LABEL_PROBE.name}_read"
PARTS = (
    "",
    "_low",
    "_high",
    "_floor",
    "_ceiling",
    "_chance",
    "_n_seeds",
    "_rank_best",
    "_rank_worst",
)
NO_ROWS = pd.DataFrame(columns=[*COLUMNS, "stop"])
NUMBERS = tuple(headline.name + part for headline in SHOWN for part in PARTS)
_AT = NUMBERS.index(LABEL_PROBE.name) + 1
OF_BOARD = (
    *("dataset", "method", "track"),
    *(*NUMBERS[:_AT], LABEL_PROBE_READ, *ON_THE_WAY.values(), *NUMBERS[_AT:]),
    *("coverage", "status"),
)


def _headline_table(
    rows: pd.DataFrame, headline: Headline, suffix: str = ""
) -> pd.DataFrame:
    """Values of one dataset, seeds against methods; ``suffix`` is of the token."""
    where = {
        "target": headline.target,
        "token": headline.token + suffix,
        "view": "unmasked",
        "status": "ok",
    }
    means = seed_means(matching(rows, where), "method")
    return means.dropna().unstack("method")  # noqa: PD010 - one mean each


def _mean(table: pd.DataFrame, method: str) -> float:
    return float(table[method].mean()) if method in table else math.nan


def _ranks(
    table: pd.DataFrame, headline: Headline, tracks: Mapping[str, Track]
) -> dict[str, tuple[int, int]]:
    """Best and worst rank within the track; references have none."""
    if headline.direction == "none" or not headline.fair:
        return {}
    ranks: dict[str, tuple[int, int]] = {}
    for track in TRACKS:
        if track != "reference":
            mine = [method for method in table if tracks[str(method)] == track]
            ranks |= rank_intervals(table[mine], headline.direction)
    return ranks


def _columns(
    rows: pd.DataFrame, headline: Headline, tracks: Mapping[str, Track]
) -> dict[str, dict[str, float]]:
    """Method -> the headline's columns, for one dataset and of its metric's rows."""
    table = _headline_table(rows, headline)
    chance = _headline_table(rows, headline, SHUFFLED)
    floor, ceiling = _mean(table, FLOOR), _mean(table, CEILING)
    ranks: Mapping[str, tuple[float, float]] = _ranks(table, headline, tracks)
    found = {}
    for method in map(str, table):
        values = table[method].dropna()
        rank = ranks.get(method, (math.nan, math.nan))
        ends = (floor, ceiling, _mean(chance, method))
        numbers = (*student_interval(values), *ends, len(values), *rank)
        names = (headline.name + part for part in PARTS)
        found[method] = dict(zip(names, map(float, numbers), strict=True))
    return found


def _fate(rows: pd.DataFrame) -> tuple[str, str]:
    """Coverage and status of a method's cells: ``4/5``, ``diverged in 1 of 5 ...``."""
    bad = rows[~rows["status"].isin(["ok", "skipped"])]
    keys = {(h.metric, h.target, h.token) for h in HEADLINES} if len(bad) else set()
    concerned = [
        matching(bad, {"metric": (m, ""), "target": t, "token": k})
        for m, t, k in sorted(keys)
    ]
    bad = pd.concat([bad.iloc[:0], *concerned])
    cells, lost = rows["cell"].nunique(), bad["cell"].nunique()
    # A seed in which nothing is known counts among the seeds all the same.
    named = failures(rows[rows.index.isin(bad.index) | (rows["status"] == "ok")])
    if lost == cells:
        named += f": {bad['reason'].mode()[0]}"
    return f"{cells - lost}/{cells}", named or "ok"


def _board(
    world: pd.DataFrame,
    cheap: pd.DataFrame,
    curves: pd.DataFrame,
    tracks: Mapping[str, Track],
) -> pd.DataFrame:
    """The rows of one dataset: track by track, best first.

    Args:
        world: Of the leaderboard.
        cheap: At equal cost.
        curves: On the way.
        tracks: Method -> its track.
    """
    reads = chosen(world)
    rows = pd.concat([with_label_probe(world, reads), at_cost(cheap)])
    of = {str(metric): mine for metric, mine in rows.groupby("metric")}
    found = [_columns(of.get(h.metric, NO_ROWS), h, tracks) for h in SHOWN]
    found.append(on_the_way(curves, reads))
    records = []
    for method, cells in world.groupby("method"):
        name = str(method)
        record: dict[str, object] = {"method": name, "track": tracks[name]}
        for columns in found:
            record |= columns.get(name, {})
        record[LABEL_PROBE_READ] = reads.get(name)
        record["coverage"], record["status"] = _fate(cells)
        records.append(record)
    board = pd.DataFrame(records).reindex(columns=list(OF_BOARD))
    lead = leading(board)
    worse = board[lead.name] * (1 if lead.direction == "min" else -1)
    return board.iloc[np.lexsort((worse, board["track"].map(TRACKS.index)))]


def leading(board: pd.DataFrame) -> Headline:
    """The first headline that most methods of a dataset have, of those with any."""
    there = (h for h in SHOWN if is_common(board, h.name))
    return next(there, SHOWN[0])


def is_common(board: pd.DataFrame, name: str) -> bool:
    """Whether most methods have a headline, of those that have any."""
    has = board[[h.name for h in SHOWN]].notna()
    return bool(has.loc[has.any(axis=1), name].mean() > 0.5)


def rank(
    measurements: Measurements, others: Mapping[str, Track] | None = None
) -> pd.DataFrame:
    """The leaderboard of the experiment of that name; empty if it is not measured.

    Args:
        measurements: Experiment id -> its tidy rows.
        others: Name of an encoder from elsewhere -> its track; ``pixels`` by default.

    Returns:
        One row a (dataset, method), by track, best first by the first headline of the
        dataset. Columns dataset, method, track; of every headline the value, its 95 %
        interval (low, high), floor, ceiling, chance, n_seeds and rank interval within
        the track (rank_best, rank_worst); then coverage (whole cells / cells) and
        status, with the share of the seeds that failed. Values are over the seeds that
        have one. The floor and the ceiling are the means of ``random_init`` and
        ``oracle_latents``; chance is what the method's own features score against the
        latents or labels of other images. ``label_probe`` is the accuracy of the
        read-out that ``label_probe_read`` names, the method's best on validation
        images; see ``budgets`` for what it is at equal cost, and on the way.
    """
    worlds, cheap, curves = (_by_dataset(measurements.get(name)) for name in RANKED)
    boards = [pd.DataFrame(columns=list(OF_BOARD))]
    for name, world in worlds.items():
        methods = sorted({*world["method"], *cheap.get(name, NO_ROWS)["method"]})
        tracks = {method: track_of(method, name, others or {}) for method in methods}
        parts = (world, cheap.get(name, NO_ROWS), curves.get(name, NO_ROWS))
        boards.append(_board(*parts, tracks).assign(dataset=name))
    return pd.concat(boards[1:] or boards, ignore_index=True)


def _by_dataset(rows: pd.DataFrame | None) -> dict[str, pd.DataFrame]:
    """Rows of whole images by dataset, in an order that is their own."""
    if rows is None:
        return {}
    rows = over_roundings(rows[rows["view"].isin(["unmasked", ""])])
    known = {str(c): Words.of(rows[c]) for c in rows}
    rows = shared(rows)
    order = order_by([words.places() for words in known.values()])
    rows = rows.take(order).reset_index(drop=True)
    return {str(name): mine for name, mine in rows.groupby("dataset")}


def write(leaderboard: pd.DataFrame, folder: Path) -> None:
    """Write ``leaderboard.csv``.

    Raises:
        StoreError: The disk does not take it; the file is whole, old or new.
    """
    write_table(leaderboard, folder / "leaderboard.csv")
