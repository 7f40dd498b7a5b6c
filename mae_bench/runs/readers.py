"""What each kind of metric reads of a frozen encoder, on images held out.

Probes are fitted on one split, choose their regularisation on the second and report
on the third; the rest is computed on the third, but for the loss, by which trainings
may be chosen: on the second. The encoder sees whole images unless the view is
``masked``.

Probes have a floor of their own beside them: the token ``mean/shuffled`` (and likewise
every other) is the same read-out of the same encoder, with the latents or the labels of
other images. A probe of latents sees them as more levels, so that it factors the
features once. Beside a probe of labels stands the target ``majority``, without a token:
how often the class that is commonest in training is right; and where it chooses
something, its accuracy on the images that chose it, as the token ``mean/val``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from mae_bench.datasets import Batch, SplitName
from mae_bench.datasets.invertible_tree import InvertibleTree
from mae_bench.datasets.random_hierarchy import RandomHierarchy
from mae_bench.methods import Method, Reconstructs, ViTMethod
from mae_bench.metrics import Metric, Patches, Skip, Split
from mae_bench.models.masking import Masking
from mae_bench.oracles.belief_propagation import explained_variance
from mae_bench.oracles.ceilings import least_error, pixel_mask, recoverable
from mae_bench.oracles.two_sample_floor import two_sample_floor
from mae_bench.records.rows import SHUFFLED, VALIDATION
from mae_bench.records.schema import LARGEST
from mae_bench.records.store import Record
from mae_bench.runs.specimen import CHUNK, Specimen, chunks
from mae_bench.training.train import build

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
# Of labels, those whose chance is measured too.
FLOORED_LABELS = ("linear_probe", "knn_probe")
# Relative spread below which an encoder says the same of every image.
COLLAPSED = 1e-5
SAME = {"status": "collapsed", "reason": "every image has the same features"}
# The token under which what was read from all patches stands.
PATCHES = "patches"


def _collapsed(features: Tensor) -> bool:
    spread = features.std(0).max()
    return bool(spread <= COLLAPSED * features.abs().mean().clamp_min(1e-12))


def _per_token(specimen: Specimen, read: Callable[[str], Any]) -> Iterator[Record]:
    n = len(specimen.splits["test"])
    for token, features in specimen.features["test"].items():
        if _collapsed(features):
            yield {"token": token, **SAME}
            continue
        for target, value in read(token).items():
            yield {**_named(token, target), **_number(float(value), n)}


def _named(token: str, target: str) -> Record:
    """What is no number of the read-out's own stands under a token of its own."""
    if target == "val":
        return {"token": token + VALIDATION, "target": ""}
    level = target.removesuffix(SHUFFLED)
    return {"token": token + target[len(level) :], "target": level}


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
    labels = {name: specimen.labels(name) for name in specimen.splits}

    def read(token: str) -> Any:
        def of(targets: Mapping[SplitName, Tensor]) -> dict[str, float]:
            h = specimen.features
            found: dict[str, float] = metric(
                *(Split(h[name][token], y) for name, y in targets.items())
            )
            return found

        found = of(labels)
        if metric.id in FLOORED_LABELS:
            others = {name: y[specimen.others(name)] for name, y in labels.items()}
            chance = of(others).items()
            found |= {k + SHUFFLED: v for k, v in chance if k != "val"}
        return found

    rows = list(_per_token(specimen, read))
    yield from rows
    # Nothing stands beside an encoder that could not be read.
    if metric.id in FLOORED_LABELS and any(row["status"] == "ok" for row in rows):
        commonest = labels["train"].bincount().argmax()
        right = labels["test"].eq(commonest).double().mean().item()
        yield {"target": "majority", **_number(right, len(labels["test"]))}


def _patches(metric: Metric, specimen: Specimen) -> Iterator[Record]:
    labels = [specimen.labels(name) for name in specimen.splits]
    seen = [specimen.patches(name) for name in specimen.splits]
    if _collapsed(seen[-1].flatten(1)):
        yield {"token": PATCHES, **SAME}
        return
    known = (Patches(h, y) for h, y in zip(seen, labels, strict=True))
    for target, value in metric(*known).items():
        yield {**_named(PATCHES, target), **_number(value, len(labels[-1]))}


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
    for chunk in chunks(test):
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


def _loss(metric: Metric, specimen: Specimen) -> Iterator[Record]:
    method, val = _learner(specimen), specimen.splits["val"]
    for target, value in metric(method, val, specimen.stream("loss")).items():
        yield {"target": target, **_number(float(value), len(val))}


def _step(metric: Metric, specimen: Specimen) -> Iterator[Record]:
    n = _learner(specimen).batch_size
    # The frozen method has no gradients, and does not say which it would have.
    with torch.inference_mode(False), torch.enable_grad():
        dataset, method = build(specimen.cell, specimen.device)
        noise = specimen.stream("step")
        found = metric(method, dataset.sample(n, noise), noise)
    for target, value in found.items():
        yield {"target": target, **_number(float(value), 0)}


def _learner(specimen: Specimen) -> Method:
    if not specimen.method.trains:
        raise Skip(f"{specimen.cell.method} has nothing to learn")
    return specimen.method


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
    "patches": _patches,
    "features": _features,
    "pairs": _pairs,
    "reconstruction": _reconstruction,
    "encoder": _encoder,
    "loss": _loss,
    "step": _step,
    "curve": _curve,
}
