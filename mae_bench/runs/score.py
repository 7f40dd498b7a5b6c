"""A frozen encoder -> its numbers: every instrument reads it, on images held out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch

from mae_bench.datasets import Dataset
from mae_bench.methods import Method
from mae_bench.metrics import Metric, Skip
from mae_bench.records import registry
from mae_bench.records.schema import TIERS, Cell
from mae_bench.records.store import Record
from mae_bench.runs.readers import READERS
from mae_bench.runs.specimen import Specimen
from mae_bench.runs.worker import check


def name_of(cell: Cell, metric: str, view: str) -> str:
    """Under which the store keeps a metric's rows: they change with what it names."""
    tier = TIERS[cell.tier]
    version = registry.load("metrics", metric).version
    return f"{metric} v{version} {view} {tier.n_train}/{tier.n_val}/{tier.n_test}"


def score(
    cell: Cell,
    dataset: Dataset,
    method: Method,
    wanted: Sequence[tuple[str, str]],
    device: str,
    curve: list[float] | None = None,
) -> Record:
    """Every wanted (metric, view) of a frozen method.

    Args:
        cell: What was trained.
        dataset: Its world.
        method: What became of it.
        wanted: Pairs (metric id, view).
        device: Where it is measured.
        curve: How its training loss fell; see ``Trained``.

    Returns:
        Name of the metric -> its rows (metric, metric_version, view, token, target,
        value, n_eval, status, reason). One that does not apply has a row ``skipped``;
        one that fails, a row ``error``.
    """
    return dict(score_each(cell, dataset, method, wanted, device, curve))


def score_each(
    cell: Cell,
    dataset: Dataset,
    method: Method,
    wanted: Sequence[tuple[str, str]],
    device: str,
    curve: list[float] | None = None,
) -> Iterator[tuple[str, list[Record]]]:
    """The same, one metric after the other."""
    specimens = {
        view: Specimen(cell, dataset, method, view, device, curve) for _, view in wanted
    }
    for metric_id, view in wanted:
        metric: Metric = registry.load("metrics", metric_id)
        head = {"metric": metric_id, "metric_version": metric.version, "view": view}
        with torch.inference_mode():
            rows = _read(metric, specimens[view])
        yield name_of(cell, metric_id, view), [head | row for row in rows]


def _read(metric: Metric, specimen: Specimen) -> list[Record]:
    try:
        return list(READERS[metric.reads](metric, specimen))
    except Skip as why:
        return [{"status": "skipped", "reason": str(why)}]
    except (ValueError, RuntimeError) as why:
        check(specimen.device)
        return [{"status": "error", "reason": " ".join(str(why).split())}]
    except Exception as why:
        # A bug of one instrument costs its rows, not the encoder or other numbers.
        reason = " ".join(f"{type(why).__name__}: {why}".split())
        return [{"status": "error", "reason": reason}]
