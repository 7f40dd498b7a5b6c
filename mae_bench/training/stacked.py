"""Cells that can be trained at once, and how each of them ended.

Who can go together is found out, not declared: members have the same class, shapes,
plain settings and budget, and then, in the ensemble, the loss that they have alone.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import torch
from torch import Tensor
from torch.utils._pytree import tree_flatten

from mae_bench.datasets import Batch, Dataset
from mae_bench.methods import Method
from mae_bench.records import registry
from mae_bench.records.schema import Cell, Settings, canonical
from mae_bench.records.store import Trained
from mae_bench.training.ensemble import Ensemble, scalars, stack
from mae_bench.training.train import Batches, build, generator, run, weights_of
from mae_bench.training.watch import Diverged, Watch, calls

TRIALS = 4  # draws that must have one shape
IMAGES = 4  # of each
TOLERANCE = 1e-3  # relative; another setting moves a loss by more, rounding by less

Ends = dict[str, tuple[Trained, bytes]]


@dataclass(frozen=True)
class Member:
    """A cell, built."""

    cell: Cell
    dataset: Dataset
    method: Method

    def trial(self) -> list[Batch]:
        """A few images, the same whenever asked."""
        stream = generator(0, str(self.method.device))
        return [self.dataset.sample(IMAGES, stream) for _ in range(TRIALS)]

    def examples(self) -> list[Any]:
        """What the method makes of them."""
        stream = generator(1, str(self.method.device))
        return [self.method.prepare(batch, stream) for batch in self.trial()]


def candidates(cells: Sequence[Cell], most: int) -> list[list[Cell]]:
    """Cells that are worth trying together, told by their settings alone.

    They train one method on one kind of world in one tier, and differ in their seeds
    and in settings that are fractions, on which no size and no choice hangs. Those of
    equal settings stand side by side, so that a cut goes through as few as can be.

    Args:
        cells: Of methods that train.
        most: Cells that a group may have.

    Returns:
        Groups of two or more; the rest is left out.
    """
    found: dict[str, list[Cell]] = {}
    for cell in cells:
        where = (cell.dataset, cell.method, cell.tier, cell.precision)
        place = [*where, *_settings(cell, False)]
        found.setdefault(canonical(place), []).append(cell)
    cut = []
    for group in found.values():
        group.sort(key=_beside)
        cut += [group[i : i + most] for i in range(0, len(group), most)]
    return [group for group in cut if len(group) > 1]


def _beside(cell: Cell) -> tuple[str, int, int]:
    return canonical(_settings(cell, True)), cell.seed, cell.rounding


def _settings(cell: Cell, fractional: bool) -> list[Settings]:
    """The cell's settings of world and method that are fractions, or the others."""
    world = _fractions("datasets", cell.dataset), cell.dataset_settings
    method = _fractions("methods", cell.method), cell.method_settings
    return [
        {name: value for name, value in given.items() if (name in known) == fractional}
        for known, given in (world, method)
    ]


@cache
def _fractions(room: str, name: str) -> frozenset[str]:
    """Settings of a part whose default is a fraction."""
    known = registry.settings(registry.load(room, name))
    return frozenset(k for k, default in known.items() if isinstance(default, float))


def train_together(cells: Sequence[Cell], device: str) -> Iterator[Ends]:
    """Train the cells that can be stacked.

    Args:
        cells: In any order.
        device: Where.

    Yields:
        After each ensemble, key -> how the cell ended, and its weights if it ended
        well. Cells that are left out have to be trained alone, and say there what is
        wrong with them.
    """
    for group in groups(_built(cells, device)):
        try:
            yield from _train(group, device)
        except Exception as error:
            _warn(group, error)


def groups(members: Sequence[Member]) -> Iterator[list[Member]]:
    """Members that can be trained together, two or more."""
    for group in _alike(members, signature):
        if agree(group):
            yield group
            continue
        # A number that the loss decides by cannot differ; all else still may.
        yield from (part for part in _alike(group, fractions) if agree(part))


def signature(member: Member) -> Hashable:
    """All that must be the same in an ensemble; one that is of no ensemble has None."""
    method = member.method
    kind = type(method)
    for own in ("training_step", "configure_optimizers", "loss"):
        if getattr(kind, own) is not getattr(Method, own):
            return None
    if not method.last_step or method.accumulate > 1:
        return None
    try:
        drawn = {_form(example) for example in member.examples()}
    except Exception as error:
        _warn([member], error)
        return None
    if len(drawn) > 1:
        return None
    return (
        kind,
        drawn.pop(),
        tuple((n, _shape(p), p.requires_grad) for n, p in method.named_parameters()),
        tuple((n, _shape(b)) for n, b in method.named_buffers()),
        tuple(
            (*place, type(value), None if isinstance(value, float) else value)
            for place, value in scalars(method).items()
        ),
    )


def fractions(member: Member) -> Hashable:
    """The settings that may differ in an ensemble."""
    found = scalars(member.method).items()
    return tuple((*place, v) for place, v in found if isinstance(v, float))


def agree(group: Sequence[Member]) -> bool:
    """Whether each member has, in the ensemble, the loss that it has alone."""
    examples = [member.examples()[0] for member in group]
    try:
        ensemble = Ensemble([member.method for member in group])
        _, losses = ensemble.gradients(stack(examples))
        with torch.no_grad():
            pairs = zip(group, examples, strict=True)
            alone = torch.stack([m.method(example) for m, example in pairs])
    except Exception as error:
        _warn(group, error)
        return False
    return torch.allclose(losses, alone, rtol=TOLERANCE, equal_nan=True)


def _built(cells: Sequence[Cell], device: str) -> list[Member]:
    found = []
    for cell in cells:
        try:
            found.append(Member(cell, *build(cell, device)))
        except Exception as error:
            _say([cell.key], error)
    return found


def _alike(
    members: Sequence[Member], key: Callable[[Member], Hashable]
) -> list[list[Member]]:
    """Members of one key, in order; without those that have none, or are alone."""
    found: dict[Hashable, list[Member]] = {}
    for member in members:
        found.setdefault(key(member), []).append(member)
    found.pop(None, None)
    return [group for group in found.values() if len(group) > 1]


def _train(group: Sequence[Member], device: str) -> Iterator[Ends]:
    """Train a group, in halves where it does not fit into the memory."""
    if len(group) < 2:
        return
    try:
        ends = _fit(group, device)
    except torch.cuda.OutOfMemoryError:
        ends = {}
    if ends:
        yield ends
        return
    torch.cuda.empty_cache()  # not in the handler, where the error keeps its frames
    half = len(group) // 2
    yield from _train(group[:half], device)
    yield from _train(group[half:], device)


def _fit(group: Sequence[Member], device: str) -> Ends:
    """Train a group from the start of all its streams."""
    for m in group:
        m.method.noise = generator(m.cell.stream("noise"), device)
    draws = [Batches(m.dataset, m.cell, m.method, device).draw() for m in group]
    ensemble = Ensemble([m.method for m in group])
    watch = Watch(ensemble.last_step)
    start, losses = time.perf_counter(), [0.0] * len(group)
    rounds = calls(zip(*draws, strict=True), ensemble.last_step)
    try:
        precision = group[0].cell.precision
        losses = run(ensemble, rounds, device, watch, precision=precision)
    except Diverged:
        assert len(watch.lost) == len(group)
    seconds = (time.perf_counter() - start) / len(group)
    ensemble.unstack()
    ends: Ends = {}
    each = enumerate(zip(group, losses, watch.curves(), strict=True))
    for i, (m, loss, curve) in each:
        world = m.dataset.fingerprint()
        ended = Trained("ok", "", seconds, world, loss, curve=curve)
        ends[m.cell.key] = ended, weights_of(m.method)
        if i in watch.lost:
            ends[m.cell.key] = Trained("diverged", watch.lost[i]), b""
    return ends


def _form(example: Any) -> Hashable:
    """Structure, shapes and types of a nest of tensors."""
    leaves, structure = tree_flatten(example)
    return str(structure), tuple(map(_shape, leaves))


def _shape(tensor: Tensor) -> Hashable:
    return tuple(tensor.shape), tensor.dtype


def _warn(group: Sequence[Member], error: Exception) -> None:
    _say([member.cell.key for member in group], error)


def _say(keys: Sequence[str], error: Exception) -> None:
    reason = " ".join(f"{type(error).__name__}: {error}".split())
    cells = keys[0] if len(keys) == 1 else f"{keys[0]} and {len(keys) - 1} more"
    logging.getLogger(__name__).warning("not stacked: %s: %s", cells, reason)
