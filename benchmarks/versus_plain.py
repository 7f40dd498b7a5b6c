"""Our training step against a plain MAE's, in one process, round by round in turn.

``python -m benchmarks.versus_plain`` writes a table of ratios. One thread; the plain
model is ``PlainMAE`` with torch's default AdamW. What each does in a step is the same
to rounding (``tests/test_versus_plain.py``); a round times some steps of each, and a
ratio is of the two times of one round. ``again`` is the plain model against itself:
how far the machine alone moves a ratio.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.plain_mae import PlainMAE
from mae_bench.datasets import Batch, Dataset
from mae_bench.methods.mae import MAE
from mae_bench.models.optimiser import BETAS
from mae_bench.records.rows import write_table
from mae_bench.runs import launch, provenance
from mae_bench.training.ensemble import Ensemble
from mae_bench.training.steps import Steps as MethodSteps
from mae_bench.training.train import Watch, calls, run

MASK_RATIO = 0.75


@dataclass(frozen=True)
class Size:
    """A cell: its images, its networks, and how long a round of it is."""

    image_size: int
    channels: int
    batch_size: int
    steps: int
    networks: dict[str, int]
    many: bool = False  # of which a suite trains many: compiled and stacked too


def _networks(patch: int, dim: int, depth: int, heads: int, *decoder: int) -> Any:
    names = ("patch_size", "embed_dim", "depth", "num_heads")
    behind = ("decoder_embed_dim", "decoder_depth", "decoder_num_heads")
    values = (patch, dim, depth, heads, *decoder)
    return dict(zip((*names, *behind), values, strict=True))


SIZES = {
    "S": Size(8, 1, 128, 100, _networks(2, 32, 2, 4, 32, 1, 4), many=True),
    "M": Size(28, 1, 64, 50, _networks(4, 32, 2, 2, 32, 1, 2), many=True),
    "C": Size(32, 3, 128, 1, _networks(4, 192, 12, 3, 192, 4, 3)),
    "B": Size(224, 3, 256, 4, _networks(16, 768, 12, 12, 512, 8, 16)),
}


class Still(Dataset):
    """The same images for ever: what is timed is training, not sampling."""

    version = 1
    levels = ()
    num_classes = None

    def __init__(self, size: Size, device: str) -> None:
        self.channels, self.image_size = size.channels, size.image_size
        shape = (size.batch_size, size.channels, size.image_size, size.image_size)
        images = torch.randn(shape, generator=torch.Generator().manual_seed(0))
        self.batch = Batch(images.to(device))

    def sample(self, n: int, generator: torch.Generator) -> Batch:
        del generator
        return self.batch.rows(slice(n))


Steps = Callable[[int], object]


def ours(
    size: Size,
    device: str,
    *,
    compiled: bool = False,
    lightning: bool = False,
    members: int = 1,
) -> Steps:
    """So many steps of our MAE; of an ensemble, of each of its members."""
    world = Still(size, device)
    methods = [_method(world, size, seed) for seed in range(members)]
    method = methods[0]
    if compiled:
        method.compile()
    fit = partial(run, device=device, precision=launch.precision([device]))
    if members > 1:
        ensemble = Ensemble(methods)
        return lambda steps: fit(
            ensemble, calls([[world.batch] * members] * steps, steps), watch=Watch(10)
        )
    if lightning:
        return lambda steps: fit(
            MethodSteps(method), calls([world.batch] * steps, steps), watch=Watch(10)
        )
    (optimizer,), (schedule,) = method.configure_optimizers()

    def bare(steps: int) -> None:
        for _ in range(steps):
            with _precision(device):
                loss = method.loss(world.batch, method.noise)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule["scheduler"].step()

    return bare


def _method(world: Still, size: Size, seed: int) -> MAE:
    init, device = torch.Generator().manual_seed(seed), world.batch.images.device
    budget = {"batch_size": size.batch_size, "steps": 20_000}
    method = MAE(world, init, mask_ratio=MASK_RATIO, **budget, **size.networks)
    method.noise = torch.Generator(device).manual_seed(seed)
    return method.to(device)


def plain(size: Size, device: str) -> Steps:
    """So many steps of the plain MAE."""
    batch = Still(size, device).batch
    model = PlainMAE(
        image_size=size.image_size, channels=size.channels, **size.networks
    ).to(device)
    optimizer = torch.optim.AdamW(
        model.parameters(), lr=1e-3, betas=BETAS, weight_decay=0.05
    )
    patches = (size.image_size // size.networks["patch_size"]) ** 2
    noise = torch.Generator(device).manual_seed(2)

    def bare(steps: int) -> None:
        for _ in range(steps):
            draw = torch.rand(len(batch), patches, generator=noise, device=device)
            with _precision(device):
                loss = model(batch.images, draw, round(patches * (1 - MASK_RATIO)))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()

    return bare


def _precision(device: str) -> Any:
    """The precision that the suite trains in; the plain loop's as well."""
    kind = device.partition(":")[0]
    return torch.autocast(kind, torch.bfloat16, enabled=kind == "cuda")


def seconds(go: Steps, steps: int, device: str) -> float:
    """Of the processor on a CPU, whatever else the machine does; of the clock else."""
    if device == "cpu":
        start = time.process_time()
        go(steps)
        return time.process_time() - start
    torch.cuda.synchronize()
    start = time.perf_counter()
    go(steps)
    torch.cuda.synchronize()
    return time.perf_counter() - start


def work(go: Steps) -> float:
    """Floating-point operations of the matrix products of one step, in units of 1e9."""
    counter = FlopCounterMode(display=False)
    with sdpa_kernel(SDPBackend.MATH), counter:
        go(1)
    return counter.get_total_flops() / 1e9


def peak(device: str) -> float:
    """1e9 operations a second of the largest product that this precision is used on."""
    side = 1024 if device == "cpu" else 8192
    kind = torch.float32 if device == "cpu" else torch.bfloat16
    a = torch.randn(side, side, device=device).to(kind)

    def multiply(times: int) -> None:
        for _ in range(times):
            a @ a

    multiply(3)
    return 5 * 2 * side**3 / min(seconds(multiply, 5, device) for _ in range(7)) / 1e9


def variants(size: Size, device: str, compiled: bool, members: int) -> dict[str, Steps]:
    """What is timed, by name; the plain model first, and once more as a control."""
    found = {"plain": plain(size, device), "again": plain(size, device)}
    found["ours"] = ours(size, device)
    found["ours, Lightning"] = ours(size, device, lightning=True)
    if compiled and size.many:
        found["compiled"] = ours(size, device, compiled=True)
        found["compiled, Lightning"] = ours(size, device, compiled=True, lightning=True)
    if members > 1 and size.many:
        found[f"ensemble of {members}"] = ours(size, device, members=members)
    return found


def compare(
    cell: str, device: str, rounds: int, *, compiled: bool, members: int
) -> list[dict[str, Any]]:
    """One row a variant; an ensemble counts the images of all its members."""
    size = SIZES[cell]
    timed = variants(size, device, compiled, members)
    flops = {name: work(timed[name]) for name in ("plain", "ours")}
    first = {}
    for name, go in timed.items():
        start = time.perf_counter()
        go(1)
        first[name] = time.perf_counter() - start
        go(size.steps)
    table = pd.DataFrame(
        [
            {name: seconds(go, size.steps, device) for name, go in timed.items()}
            for _ in range(rounds)
        ]
    )
    most, rows = peak(device), []
    for name in timed:
        count = members if name.startswith("ensemble") else 1
        step = table[name] / size.steps / count
        ratio = (table["plain"] / size.steps / step).quantile([0.5, 0.1, 0.9])
        each = flops["plain" if name in ("plain", "again") else "ours"]
        rows.append(
            {
                "cell": cell,
                "variant": name,
                "ms_a_step": 1000 * step.median(),
                "images_per_second": size.batch_size / step.median(),
                "share_of_peak": each / step.median() / most,
                "ratio_to_plain": ratio[0.5],
                "low": ratio[0.1],
                "high": ratio[0.9],
                "rounds": rounds,
                "first_step_seconds": first[name],
                "gigaflop_a_step": each,
                "peak_gigaflop_per_second": most,
                "threads": torch.get_num_threads(),
                **provenance.machine(device),
            }
        )
    return rows


def main() -> None:
    """Write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cells", nargs="+", default=["S", "M", "C"], choices=SIZES)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--rounds", type=int, default=11)
    parser.add_argument("--members", type=int, default=5, help="of the ensemble")
    parser.add_argument("--compiled", action=argparse.BooleanOptionalAction)
    parser.add_argument("--output", type=Path, default=Path("results/speed.csv"))
    wanted = parser.parse_args()
    torch.set_num_threads(1)
    rows = []
    for cell in wanted.cells:
        rows += compare(
            cell,
            wanted.device,
            wanted.rounds,
            compiled=bool(wanted.compiled),
            members=wanted.members,
        )
    table = pd.DataFrame(rows)
    write_table(table, wanted.output)
    print(table.iloc[:, :11].to_string(index=False))  # noqa: T201 (a script)


if __name__ == "__main__":
    main()
