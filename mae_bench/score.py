"""A frozen encoder -> its numbers: every instrument reads it, on images held out.

Probes are fitted on one split, choose their regularisation on the second and report
on the third; the rest is computed on the third. The encoder sees whole images unless
the view is ``masked``.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

from mae_bench import registry
from mae_bench.datasets import Batch, Dataset, SplitName
from mae_bench.datasets.random_hierarchy import RandomHierarchy
from mae_bench.methods import Method, ViTMethod
from mae_bench.methods.mae import MAE
from mae_bench.metrics import Metric, Skip, Split
from mae_bench.models.masking import Masking, random_masking
from mae_bench.oracles.belief_propagation import explained_variance
from mae_bench.oracles.ceilings import least_error, pixel_mask, recoverable
from mae_bench.schema import TIERS, Cell, digest
from mae_bench.store import Record

CHUNK = 500
DEFAULT_MASK_RATIO = 0.75
# Relative spread below which an encoder says the same of every image.
COLLAPSED = 1e-5


def name_of(cell: Cell, metric: str, view: str) -> str:
    """Under which the store keeps a metric's rows: they change with what it names."""
    tier = TIERS[cell.tier]
    version = registry.load("metrics", metric).version
    return f"{metric} v{version} {view} {tier.n_train}/{tier.n_val}/{tier.n_test}"


@dataclass(frozen=True)
class Specimen:
    """A frozen encoder on the table, with its world and the images to look at."""

    cell: Cell
    dataset: Dataset
    method: Method
    view: str
    device: str

    def stream(self, *axes: object) -> torch.Generator:
        """Randomness of one purpose: of the cell's evaluation, not of the method."""
        seed = int(digest(self.cell.stream("eval"), *axes)[:15], 16)
        return torch.Generator(self.device).manual_seed(seed)

    @cached_property
    def splits(self) -> dict[SplitName, Batch]:
        """Images for fitting, for choosing and for reporting."""
        tier = TIERS[self.cell.tier]
        sizes: dict[SplitName, int] = {
            "train": tier.n_train,
            "val": tier.n_val,
            "test": tier.n_test,
        }
        return {
            name: self.dataset.split(name, n, self.stream("images", name))
            for name, n in sizes.items()
        }

    @cached_property
    def features(self) -> dict[SplitName, dict[str, Tensor]]:
        """Split -> token -> [n, d]."""
        return {
            name: self.encode(batch, self.stream("view", name))
            for name, batch in self.splits.items()
        }

    def encode(self, batch: Batch, noise: torch.Generator) -> dict[str, Tensor]:
        """Token -> [n, d], in chunks; masked by ``noise`` if the view is."""
        found = []
        for chunk in _chunks(batch):
            masking = self.masking(len(chunk), noise) if self.view == "masked" else None
            keep = None if masking is None else masking.ids_keep
            found.append(self.method.features(chunk, keep))
        return {token: torch.cat([f[token] for f in found]) for token in found[0]}

    def masking(self, n: int, noise: torch.Generator) -> Masking:
        """The method's own masks; for one that has none, uniform ones at 0.75.

        Raises:
            Skip: The method does not look at patches.
        """
        if isinstance(self.method, MAE):
            return self.method.masking(n, noise)
        if not isinstance(self.method, ViTMethod):
            raise Skip(f"{self.cell.method} does not look at patches")
        grid = self.method.encoder.grid_size
        return random_masking(n, grid, DEFAULT_MASK_RATIO, noise)


def _chunks(batch: Batch) -> Iterator[Batch]:
    for start in range(0, len(batch), CHUNK):
        yield batch.rows(slice(start, start + CHUNK))


def _collapsed(features: Tensor) -> bool:
    spread = features.std(0).max()
    return bool(spread <= COLLAPSED * features.abs().mean().clamp_min(1e-12))


def _per_token(specimen: Specimen, read: Callable[[str], Any]) -> Iterator[Record]:
    n = len(specimen.splits["test"])
    for token, features in specimen.features["test"].items():
        if _collapsed(features):
            reason = "every image has the same features"
            yield {"token": token, "status": "collapsed", "reason": reason}
            continue
        for target, value in read(token).items():
            yield {"token": token, "target": target, **_number(float(value), n)}


def _number(value: float, n: int) -> Record:
    if math.isfinite(value):
        return {"value": value, "n_eval": n, "status": "ok", "reason": ""}
    return {"status": "error", "reason": f"the value is {value}"}


def _latents(metric: Metric, specimen: Specimen) -> Iterator[Record]:
    if not specimen.dataset.levels:
        raise Skip(f"{specimen.cell.dataset} declares no latents")

    def read(token: str) -> Any:
        return metric(*_probe(specimen, token, lambda batch: dict(batch.latents)))

    yield from _per_token(specimen, read)


def _ceiling(metric: Metric, specimen: Specimen) -> Iterator[Record]:
    test = specimen.splits["test"]
    if specimen.view == "masked":
        # The stream that the masks of the encoder's own view come from.
        masking = specimen.masking(len(test), specimen.stream("view", "test"))
        mask = _pixels(specimen, masking)
    else:
        mask = torch.zeros(1, test.images[0].numel(), device=test.images.device)
    most = recoverable(specimen.dataset, test, mask)
    if not most:
        raise Skip(f"{specimen.cell.dataset} has no exact answer")

    def read(token: str) -> Any:
        splits = _probe(specimen, token, lambda batch: dict(batch.latents))
        return metric(*splits, most)

    yield from _per_token(specimen, read)


def _labels(metric: Metric, specimen: Specimen) -> Iterator[Record]:
    if specimen.dataset.num_classes is None:
        raise Skip(f"{specimen.cell.dataset} has no labels")

    def read(token: str) -> Any:
        return metric(*_probe(specimen, token, lambda batch: batch.labels))

    yield from _per_token(specimen, read)


def _probe(
    specimen: Specimen, token: str, target: Callable[[Batch], Any]
) -> list[Split[Any]]:
    return [
        Split(specimen.features[name][token], target(batch))
        for name, batch in specimen.splits.items()
    ]


def _features(metric: Metric, specimen: Specimen) -> Iterator[Record]:
    def read(token: str) -> Any:
        stream = _stream(metric, specimen)
        for chunk in torch.split(specimen.features["test"][token], CHUNK):
            stream.update(chunk)
        return stream.compute()

    yield from _per_token(specimen, read)


def _pairs(metric: Metric, specimen: Specimen) -> Iterator[Record]:
    masked = Specimen(
        specimen.cell, specimen.dataset, specimen.method, "masked", specimen.device
    )
    test = specimen.splits["test"]
    one, two = (masked.encode(test, specimen.stream("pair", k)) for k in (0, 1))

    def read(token: str) -> Any:
        stream = _stream(metric, specimen)
        for pair in zip(
            *(torch.split(v[token], CHUNK) for v in (one, two)), strict=True
        ):
            stream.update(*pair)
        return stream.compute()

    yield from _per_token(specimen, read)


def _reconstruction(metric: Metric, specimen: Specimen) -> Iterator[Record]:
    method, test = specimen.method, specimen.splits["test"]
    if not isinstance(method, MAE):
        raise Skip(f"{specimen.cell.method} does not reconstruct")
    stream, noise = _stream(metric, specimen), specimen.stream("reconstruction")
    least: dict[str, list[Tensor]] = {}
    for chunk in _chunks(test):
        prediction, target, masking = method.reconstruct(chunk, noise)
        stream.update(prediction, target)
        mask = _pixels(specimen, masking)
        for name, error in least_error(specimen.dataset, chunk.images, mask).items():
            least.setdefault(name, []).append(error)
    found = {k: float(v) for k, v in stream.compute().items()}
    found |= {name: torch.cat(errors).mean().item() for name, errors in least.items()}
    if isinstance(specimen.dataset, RandomHierarchy):
        world = specimen.dataset
        found |= {f"explained_{k}": explained_variance(world, found[k]) for k in found}
    if "bayes" in found:
        found["ratio_to_bayes"] = found["masked"] / found["bayes"]
    for target, value in found.items():
        yield {"target": target, **_number(value, len(test))}


def _pixels(specimen: Specimen, masking: Masking) -> Tensor:
    """Masks of pixels [n, d]."""
    assert isinstance(specimen.method, ViTMethod)
    patch_size = specimen.method.encoder.patch_size
    return pixel_mask(masking.mask, patch_size, specimen.dataset.channels)


def _encoder(metric: Metric, specimen: Specimen) -> Iterator[Record]:
    test, noise = specimen.splits["test"], specimen.stream("encoder")
    for target, value in metric(specimen.method, specimen.dataset, test, noise).items():
        yield {"target": target, **_number(float(value), len(test))}


def _stream(metric: Metric, specimen: Specimen) -> Any:
    assert metric.stream is not None
    return metric.stream().to(specimen.device)


READERS: Mapping[str, Callable[[Metric, Specimen], Iterator[Record]]] = {
    "latents": _latents,
    "ceiling": _ceiling,
    "labels": _labels,
    "features": _features,
    "pairs": _pairs,
    "reconstruction": _reconstruction,
    "encoder": _encoder,
}


def score(
    cell: Cell,
    dataset: Dataset,
    method: Method,
    wanted: Sequence[tuple[str, str]],
    device: str,
) -> Record:
    """Every wanted (metric, view) of a frozen method.

    Returns:
        Name of the metric -> its rows (metric, metric_version, view, token, target,
        value, n_eval, status, reason). One that does not apply has a row ``skipped``;
        one that fails, a row ``error``.
    """
    specimens = {
        view: Specimen(cell, dataset, method, view, device) for _, view in wanted
    }
    found: Record = {}
    for metric_id, view in wanted:
        metric: Metric = registry.load("metrics", metric_id)
        head = {"metric": metric_id, "metric_version": metric.version, "view": view}
        with torch.inference_mode():
            rows = _read(metric, specimens[view])
        found[name_of(cell, metric_id, view)] = [head | row for row in rows]
    return found


def _read(metric: Metric, specimen: Specimen) -> list[Record]:
    try:
        return list(READERS[metric.reads](metric, specimen))
    except Skip as why:
        return [{"status": "skipped", "reason": str(why)}]
    except (ValueError, RuntimeError) as why:
        return [{"status": "error", "reason": " ".join(str(why).split())}]
    except Exception as why:
        # A bug of one instrument costs its rows, not the encoder or other numbers.
        reason = " ".join(f"{type(why).__name__}: {why}".split())
        return [{"status": "error", "reason": reason}]
