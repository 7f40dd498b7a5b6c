"""What each kind of metric reads of a frozen encoder, on images held out.

Probes are fitted on one split, choose their regularisation on the second and report
on the third; the rest is computed on the third. The encoder sees whole images unless
the view is ``masked``.

Probes of latents have a floor of their own beside them: the token ``mean/shuffled``
(and likewise every other) is the same read-out of the same encoder, with the latents of
other images. The probe sees them as more levels, so that it factors the features once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

from mae_bench.datasets import Batch, Dataset, SplitName
from mae_bench.datasets.invertible_tree import InvertibleTree
from mae_bench.datasets.random_hierarchy import RandomHierarchy
from mae_bench.methods import Method, Reconstructs, ViTMethod
from mae_bench.metrics import Metric, Skip, Split
from mae_bench.models.masking import Masking
from mae_bench.oracles.belief_propagation import explained_variance
from mae_bench.oracles.ceilings import least_error, pixel_mask, recoverable
from mae_bench.oracles.two_sample_floor import two_sample_floor
from mae_bench.records.schema import LARGEST, TIERS, Cell, digest
from mae_bench.records.store import Record

CHUNK = 500
# Marks a read-out that is held against the latents of other images.
SHUFFLED = "/shuffled"
# They read each level by itself, or each hierarchy: shuffled ones are just more levels.
FLOORED = (
    "linear_r2",
    "block_r2",
    "mcc",
    "partial_r2",
    "level_accuracy",
    "ceiling_ratio",
    "knowable_share",
)
# Relative spread below which an encoder says the same of every image.
COLLAPSED = 1e-5


@dataclass(frozen=True)
class Specimen:
    """A frozen encoder on the table, with its world, its images and how it learned."""

    cell: Cell
    dataset: Dataset
    method: Method
    view: str
    device: str
    curve: list[float] | None = None

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

    def latents(self, name: SplitName, *, shuffled: bool) -> dict[str, Tensor]:
        """Level -> [n, k] of a split; if wanted also ``level/shuffled``.

        These are of other images, all levels of the same one: each image is given the
        whole story of another.
        """
        known = dict(self.splits[name].latents)
        if not shuffled:
            return known
        noise, n = self.stream("shuffle", name), len(self.splits[name])
        order = torch.randperm(n, generator=noise, device=noise.device)
        return known | {level + SHUFFLED: z[order] for level, z in known.items()}

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
        """The method's masks.

        Raises:
            Skip: The method does not look at patches.
        """
        if not isinstance(self.method, ViTMethod):
            raise Skip(f"{self.cell.method} does not look at patches")
        return self.method.masking(n, noise)


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
            level = target.removesuffix(SHUFFLED)
            source = token + target[len(level) :]
            yield {"token": source, "target": level, **_number(float(value), n)}


def _number(value: float, n: int) -> Record:
    if abs(value) < LARGEST:
        return {"value": value, "n_eval": n, "status": "ok", "reason": ""}
    return {"status": "error", "reason": f"the value is {value}"}


def _latents(metric: Metric, specimen: Specimen) -> Iterator[Record]:
    if not specimen.dataset.levels:
        raise Skip(f"{specimen.cell.dataset} declares no latents")

    def read(token: str) -> Any:
        return metric(*_known(metric, specimen, token))

    yield from _per_token(specimen, read)


def _ceiling(metric: Metric, specimen: Specimen) -> Iterator[Record]:
    test = specimen.splits["test"]
    if specimen.view == "masked":
        # The stream that the masks of the encoder's own view come from.
        masking = specimen.masking(len(test), specimen.stream("view", "test"))
        mask = _pixels(specimen, masking)
    else:
        mask = torch.zeros(1, test.images[0].numel(), device=test.images.device)
    most = recoverable(specimen.dataset, test, mask, specimen.stream("ceiling"))
    if not most:
        raise Skip(f"{specimen.cell.dataset} has no exact answer")
    most |= {level + SHUFFLED: value for level, value in most.items()}

    def read(token: str) -> Any:
        return metric(*_known(metric, specimen, token), most)

    yield from _per_token(specimen, read)


def _labels(metric: Metric, specimen: Specimen) -> Iterator[Record]:
    if specimen.dataset.num_classes is None:
        raise Skip(f"{specimen.cell.dataset} has no labels")

    def read(token: str) -> Any:
        splits = specimen.splits
        return metric(
            *(Split(h[token], splits[k].labels) for k, h in specimen.features.items())
        )

    yield from _per_token(specimen, read)


def _known(
    metric: Metric, specimen: Specimen, token: str
) -> list[Split[dict[str, Tensor]]]:
    shuffled = metric.id in FLOORED
    return [
        Split(h[token], specimen.latents(name, shuffled=shuffled))
        for name, h in specimen.features.items()
    ]


def _features(metric: Metric, specimen: Specimen) -> Iterator[Record]:
    def read(token: str) -> Any:
        stream = _stream(metric, specimen)
        for chunk in torch.split(specimen.features["test"][token], CHUNK):
            stream.update(chunk)
        return stream.variants()

    yield from _per_token(specimen, read)


def _pairs(metric: Metric, specimen: Specimen) -> Iterator[Record]:
    masked, test = replace(specimen, view="masked"), specimen.splits["test"]
    both = [masked.encode(test, specimen.stream("pair", k)) for k in (0, 1)]

    def read(token: str) -> Any:
        stream = _stream(metric, specimen)
        for pair in zip(*(torch.split(v[token], CHUNK) for v in both), strict=True):
            stream.update(*pair)
        return stream.variants()

    yield from _per_token(specimen, read)


def _reconstruction(metric: Metric, specimen: Specimen) -> Iterator[Record]:
    method, test = specimen.method, specimen.splits["test"]
    if not isinstance(method, Reconstructs):
        raise Skip(f"{specimen.cell.method} does not reconstruct")
    stream, noise = _stream(metric, specimen), specimen.stream("reconstruction")
    redraw = specimen.stream("floor")
    least: dict[str, list[Tensor]] = {}
    for chunk in _chunks(test):
        prediction, target, masking = method.reconstruct(chunk, noise)
        stream.update(prediction, target)
        for name, error in _limits(specimen, chunk, masking, redraw).items():
            least.setdefault(name, []).append(error)
    found = {k: float(v) for k, v in stream.variants().items()}
    found |= {name: torch.cat(errors).mean().item() for name, errors in least.items()}
    if isinstance(specimen.dataset, RandomHierarchy):
        world = specimen.dataset
        found |= {f"explained_{k}": explained_variance(world, found[k]) for k in found}
    if "bayes" in found:
        found["ratio_to_bayes"] = found["masked"] / found["bayes"]
    for target, value in found.items():
        yield {"target": target, **_number(value, len(test))}


def _limits(
    specimen: Specimen, batch: Batch, masking: Masking, redraw: torch.Generator
) -> dict[str, Tensor]:
    """The least error of each image, if what is asked for is what was masked."""
    world, method, patches = specimen.dataset, specimen.method, masking.mask
    assert isinstance(method, Reconstructs)
    if not torch.equal(method.asked(masking), masking.ids_masked):
        return {}
    if not isinstance(world, InvertibleTree):
        return least_error(world, batch.images, _pixels(specimen, masking))
    if patches.shape[1] != len(world.parents[-1]):
        return {}
    return {"floor": two_sample_floor(world, batch, patches, redraw)}


def _pixels(specimen: Specimen, masking: Masking) -> Tensor:
    """Masks of pixels [n, d]."""
    assert isinstance(specimen.method, ViTMethod)
    patch_size = specimen.method.encoder.patch_size
    return pixel_mask(masking.mask, patch_size, specimen.dataset.channels)


def _encoder(metric: Metric, specimen: Specimen) -> Iterator[Record]:
    test, noise = specimen.splits["test"], specimen.stream("encoder")
    for target, value in metric(specimen.method, specimen.dataset, test, noise).items():
        yield {"target": target, **_number(float(value), len(test))}


def _curve(metric: Metric, specimen: Specimen) -> Iterator[Record]:
    if not specimen.method.trains or not specimen.method.last_step:
        raise Skip(f"{specimen.cell.method} was not trained")
    if specimen.curve is None:
        raise ValueError("trained before curves were kept: run it with --rerun always")
    for target, value in metric(torch.tensor(specimen.curve)).items():
        yield {"target": target, **_number(float(value), 0)}


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
    "curve": _curve,
}
