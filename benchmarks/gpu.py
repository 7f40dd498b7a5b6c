"""A GPU in one command of at most nine minutes: is it right, and is it used well?

``python -m benchmarks.gpu`` writes ``results/gpu/<device>.csv``: a row a question, with
the goal where there is one. It has not been run on a GPU yet. Without one it asks the
same of the CPU, of tiny sizes; that says that it runs, and nothing of a GPU.
"""

from __future__ import annotations

import argparse
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
import torch

from benchmarks.parity import method_apart, metric_apart
from benchmarks.versus_plain import (
    SIZES,
    Size,
    Steps,
    _networks,
    ours,
    peak,
    plain,
    seconds,
    work,
)
from mae_bench.methods import Method
from mae_bench.methods.mae import MAE
from mae_bench.methods.simclr import SimCLR
from mae_bench.records import registry
from mae_bench.records.rows import write_table
from mae_bench.runs import provenance

MINUTES = 9.0
TOLERANCE = 1e-3  # relative, of sums in float32 in another order
ROUNDS = 5
MEMBERS = (5, 16, 32, 64, 128)
# Share of the measured bf16 peak, and times the plain loop's images a second.
PEAK_GOAL, ENSEMBLE_GOAL = 0.45, 20.0
VIT_S = Size(224, 3, 256, 4, _networks(16, 384, 12, 6, 384, 4, 6))
LARGE = {"ViT-B/16": SIZES["B"], "ViT-S/16": VIT_S}
SMALL = {"S": replace(SIZES["S"], steps=200), "M": replace(SIZES["M"], steps=200)}
_TINY = _networks(2, 8, 1, 2, 8, 1, 2)


@dataclass(frozen=True)
class Row:
    """An answer.

    Args:
        part: ``parity``, ``speed``, ``ensemble``, ``share`` or ``waits``.
        name: Of what.
        value: NaN if it was not measured.
        unit: Of the value.
        goal: NaN if there is none.
        holds: Whether the goal is met: ``yes``, ``no``, or empty without one.
        reason: Why there is no value.
    """

    part: str
    name: str
    value: float
    unit: str
    goal: float = float("nan")
    holds: str = ""
    reason: str = ""


Question = tuple[str, str, Callable[[], Iterator[Row]]]


def held(row: Row, *, at_most: bool = False) -> Row:
    """The row, with whether its goal is met."""
    met = row.value <= row.goal if at_most else row.value >= row.goal
    return replace(row, holds="yes" if met else "no")


def alike(apart: Callable[[str, str], float], name: str, device: str) -> Iterator[Row]:
    """How far a method or metric on the device is from the CPU's."""
    far = apart(name, device)
    row = Row("parity", name, far, "largest relative difference", TOLERANCE)
    yield held(row, at_most=True)


def rate(go: Steps, size: Size, device: str, members: int = 1) -> float:
    """Images a second, of all members: the median of some rounds after two."""
    go(1)
    go(size.steps)
    taken = sorted(seconds(go, size.steps, device) for _ in range(ROUNDS))
    return members * size.batch_size * size.steps / taken[ROUNDS // 2]


def large(name: str, size: Size, device: str) -> Iterator[Row]:
    """One training of a large cell, against the plain loop and the peak."""
    most = peak(device)
    ways = {"plain": plain(size, device), "ours": ours(size, device)}
    flops = {way: work(go) / size.batch_size for way, go in ways.items()}
    if device.startswith("cuda"):
        ways["compiled"] = ours(size, device, compiled=True)
        flops["compiled"] = flops["ours"]
    for way, go in ways.items():
        found = rate(go, size, device)
        share = found * flops[way] / most
        yield Row("speed", f"{name}, {way}", found, "images a second")
        row = Row("speed", f"{name}, {way}", share, "share of the measured peak")
        goal = name == "ViT-B/16" and way != "plain"
        yield held(replace(row, goal=PEAK_GOAL)) if goal else row


def ensembles(
    name: str, size: Size, device: str, members: Sequence[int]
) -> Iterator[Row]:
    """Many small trainings at once, against the plain loop of one."""
    base = rate(plain(size, device), size, device)
    yield Row("speed", f"{name}, plain", base, "images a second")
    alone = rate(ours(size, device, lightning=True), size, device)
    yield Row("speed", f"{name}, ours", alone, "images a second")
    for k in members:
        at_once = rate(ours(size, device, members=k), size, device, k)
        what = f"{name}, {k} members"
        yield Row("ensemble", what, at_once, "members x images a second")
        row = Row("ensemble", what, at_once / base, "times the plain loop")
        largest = k == max(members)
        yield held(replace(row, goal=ENSEMBLE_GOAL)) if largest else row


def built(kind: type[Method], world: str, device: str, size: Size) -> Any:
    """A method in a world, with its streams."""
    dataset = registry.load("datasets", world)(torch.Generator().manual_seed(0))
    known = registry.settings(kind)
    settings = {**size.networks, "batch_size": size.batch_size}
    settings = {k: v for k, v in settings.items() if k in known and k != "patch_size"}
    method = kind(dataset, torch.Generator().manual_seed(1), **settings).to(device)
    method.noise = torch.Generator(device).manual_seed(2)
    return dataset, method, torch.Generator(device).manual_seed(3)


def shares(device: str, size: Size) -> Iterator[Row]:
    """How much of a step is sampling, and augmenting or masking."""
    for kind, world in ((MAE, "gaussian_tree"), (SimCLR, "digits")):
        dataset, method, data = built(kind, world, device, size)
        (optimizer,), _ = method.configure_optimizers()

        def drawn(n: int, dataset: Any = dataset, data: Any = data) -> None:
            for _ in range(n):
                dataset.sample(size.batch_size, data)

        def shown(
            n: int, dataset: Any = dataset, m: Any = method, d: Any = data
        ) -> None:
            for _ in range(n):
                m.prepare(dataset.sample(size.batch_size, d), m.noise)

        def whole(
            n: int,
            dataset: Any = dataset,
            m: Any = method,
            d: Any = data,
            o: Any = optimizer,
        ) -> None:
            for _ in range(n):
                o.zero_grad()
                m.loss(dataset.sample(size.batch_size, d), m.noise).backward()
                o.step()

        taken = [rate(go, size, device) for go in (drawn, shown, whole)]
        name = f"{kind.__name__} on {world}"
        yield Row("share", f"{name}, sampling", taken[2] / taken[0], "share of a step")
        rest = taken[2] / taken[1] - taken[2] / taken[0]
        yield Row("share", f"{name}, masks and views", rest, "share of a step")


def waits(device: str, size: Size) -> Iterator[Row]:
    """How often the host waits for the device in a step."""
    unit = "waits a step"
    if not device.startswith("cuda"):
        yield Row("waits", "a step", float("nan"), unit, 0.0, "", "of a GPU alone")
        return
    for kind in (MAE, SimCLR):
        dataset, method, data = built(kind, "gaussian_tree", device, size)
        (optimizer,), _ = method.configure_optimizers()
        count = 0
        for step in range(4):
            with warnings.catch_warnings(record=True) as seen:
                warnings.simplefilter("always")
                torch.cuda.set_sync_debug_mode("warn")
                optimizer.zero_grad()
                method.loss(
                    dataset.sample(size.batch_size, data), method.noise
                ).backward()
                optimizer.step()
                torch.cuda.set_sync_debug_mode("default")
            # The first steps set up what later ones use.
            count += len(seen) * (step == 3)
        row = Row("waits", kind.__name__, float(count), unit, 0.0)
        yield held(row, at_most=True)


def questions(device: str, *, tiny: bool) -> list[Question]:
    """All that is asked, first things first."""
    large_ = LARGE
    small, members = SMALL, MEMBERS
    if tiny:
        size = Size(8, 1, 4, 1, _TINY)
        large_, small, members = {"ViT-B/16": size}, {"S": size}, (2, 3)
    methods = [
        name
        for name in registry.names("methods")
        if registry.load("methods", name).trains
    ]
    metrics = registry.names("metrics")
    asked: list[Question] = []
    asked += [
        ("speed", name, partial(large, name, size, device))
        for name, size in large_.items()
    ]
    asked += [
        ("ensemble", name, partial(ensembles, name, size, device, members))
        for name, size in small.items()
    ]
    asked.append(("share", "a step", partial(shares, device, small["S"])))
    asked.append(("waits", "a step", partial(waits, device, small["S"])))
    asked += [
        ("parity", name, partial(alike, apart, name, device))
        for apart, names in ((method_apart, methods), (metric_apart, metrics))
        for name in names
    ]
    return asked


def answers(asked: Sequence[Question], minutes: float) -> list[Row]:
    """Ask one after the other for as long as there is time; what fails says why."""
    end, found = time.monotonic() + 60 * minutes, []
    for part, name, ask in asked:
        if time.monotonic() > end:
            found.append(Row(part, name, float("nan"), "", reason="no time was left"))
            continue
        try:
            found += ask()
        except Exception as error:
            why = " ".join(f"{type(error).__name__}: {error}".split())
            found.append(Row(part, name, float("nan"), "", reason=why))
    return found


def main(arguments: list[str] | None = None) -> None:
    """Write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    there = "cuda" if torch.cuda.is_available() else "cpu"
    parser.add_argument("--device", default=there)
    parser.add_argument("--minutes", type=float, default=MINUTES)
    parser.add_argument("--parts", nargs="+", help="only these, e.g. speed parity")
    parser.add_argument("--output", type=Path, default=Path("results/gpu"))
    wanted = parser.parse_args(arguments)
    tiny = not wanted.device.startswith("cuda")
    asked = questions(wanted.device, tiny=tiny)
    asked = [q for q in asked if not wanted.parts or q[0] in wanted.parts]
    table = pd.DataFrame(map(vars, answers(asked, wanted.minutes)))
    table = table.assign(tiny=tiny, **provenance.machine(wanted.device))
    name = table["device"].iloc[0].replace(" ", "-").replace("/", "-").lower()
    write_table(table, wanted.output / f"{name}.csv")
    print(table.iloc[:, :7].to_string(index=False))  # noqa: T201 (a script)


if __name__ == "__main__":
    main()
