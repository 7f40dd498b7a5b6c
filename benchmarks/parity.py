"""Whether a device gives the numbers that the CPU gives, method by method and metric.

What is drawn on a device has other numbers than on the CPU, so draws are taken from a
stream of the CPU there too: what differs is arithmetic alone.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from functools import cache
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_map

from mae_bench.experiments import Experiment
from mae_bench.metrics import Metric, Skip
from mae_bench.records import registry
from mae_bench.records.schema import TIERS, Cell, Setting, UsageError
from mae_bench.runs.readers import READERS
from mae_bench.runs.specimen import Specimen
from mae_bench.training.train import build

# A method is built on the first of these that it can be.
ANY_WORLD = ("gaussian_tree", "linear_pair", "gaussian_field", "spiked_field")
IMAGES = (("train", 90), ("val", 60), ("test", 60))


class SameDraws(TorchFunctionMode):
    """Draws by a generator of a GPU are those of the CPU's of the same seed, moved."""

    def __init__(self) -> None:
        super().__init__()
        self.twins: dict[int, tuple[torch.Generator, torch.Generator]] = {}

    def __torch_function__(
        self, func: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        del types
        words = dict(kwargs or {})
        noise = words.get("generator")
        if noise is None or noise.device.type == "cpu":
            return func(*args, **words)
        words["generator"] = self.twin(noise)
        if "device" in words:
            words["device"] = "cpu"
        drawn = func(*tree_map(_on_cpu, args), **tree_map(_on_cpu, words))
        if func.__name__.endswith("_"):
            return args[0].copy_(drawn)
        return drawn.to(noise.device)

    def twin(self, noise: torch.Generator) -> torch.Generator:
        """The CPU's generator of the same seed, which moves on with the other."""
        if id(noise) not in self.twins:
            twin = torch.Generator().manual_seed(noise.initial_seed())
            self.twins[id(noise)] = noise, twin  # kept, so that no id is used again
        return self.twins[id(noise)][1]


def _on_cpu(value: Any) -> Any:
    return value.cpu() if isinstance(value, Tensor) else value


def apart(one: dict[str, float], two: dict[str, float]) -> float:
    """The largest difference of numbers of one name, relative where they are large.

    Infinite where one has a number that the other lacks.

    >>> apart({"a": 200.0, "b": 0.5}, {"a": 201.0, "b": 0.5})
    0.005
    """
    if one.keys() != two.keys():
        return float("inf")
    found = [abs(x - two[name]) / max(1.0, abs(x)) for name, x in one.items()]
    return max((d for d in found if d == d), default=0.0)


def method_apart(name: str, device: str) -> float:
    """How far loss and gradients of a method on a device are from the CPU's."""
    dataset, method = _built(name)
    example = method.prepare(
        dataset.sample(8, torch.Generator().manual_seed(1)),
        torch.Generator().manual_seed(2),
    )

    def learned(place: str) -> dict[str, float]:
        mine = copy.deepcopy(method).to(place)
        loss = mine(tree_map(lambda t: t.to(place), example))
        loss.backward()
        found = {"loss": loss.item()}
        for label, weight in mine.named_parameters():
            if weight.grad is not None:
                found[label] = float(weight.grad.norm())
        return found

    return apart(learned("cpu"), learned(device))


def _built(name: str) -> Any:
    """The first world that a method learns from, and it."""
    known = registry.settings(registry.load("methods", name))
    budget: dict[str, Setting] = {**TIERS["smoke"].budget(), "batch_size": 8}
    budget = {key: value for key, value in budget.items() if key in known}
    for world in ANY_WORLD:
        settings = registry.settings(registry.load("datasets", world))
        try:
            return build(
                Cell(world, name, "smoke", 0, settings, known | budget, {}), "cpu"
            )
        except UsageError:
            raise
        except ValueError:
            continue
    raise AssertionError(f"{name} is built on none of {ANY_WORLD}")


def metric_apart(name: str, device: str) -> float:
    """How far what a metric says on a device is from what it says on the CPU.

    Raises:
        LookupError: It reads no cell of its experiments.
    """
    metric: Metric = registry.load("metrics", name)
    for cell, view in cells_with(name):
        if expected := numbers(metric, cell, view, "cpu"):
            with SameDraws():
                return apart(expected, numbers(metric, cell, view, device))
    raise LookupError(f"{name} reads no cell of its experiments")


@cache
def experiments() -> dict[str, Experiment]:
    """All of them."""
    return registry.load_all("experiments")


def cells_with(metric: str) -> Iterator[tuple[Cell, str]]:
    """Cells of every kind that an experiment measures it on, and how they are seen."""
    known = set()
    for experiment in experiments().values():
        views = [view for name, view in sorted(experiment.wanted) if name == metric]
        if views:
            for cell, _ in experiment.cells(TIERS["smoke"], range(1)):
                kind = cell.dataset, cell.method, cell.method_settings.get("depth")
                if kind not in known:
                    known.add(kind)
                    yield cell, views[0]


def numbers(metric: Metric, cell: Cell, view: str, device: str) -> dict[str, float]:
    """What it says of the untrained method; nothing where it does not apply."""
    dataset, method = build(cell, device)
    frozen = method.eval().requires_grad_(False)
    specimen = Specimen(cell, dataset, frozen, view, device, [1.0] * 32)
    # Few images: on the emulated GPU each operation takes its time.
    vars(specimen)["splits"] = {
        name: dataset.split(name, n, specimen.stream("images", name))  # type: ignore[arg-type]
        for name, n in IMAGES
    }
    try:
        rows = list(READERS[metric.reads](metric, specimen))
    except Skip:
        return {}
    return {
        f"{row.get('token')} {row['target']}": row["value"]
        for row in rows
        if row["status"] == "ok"
    }
