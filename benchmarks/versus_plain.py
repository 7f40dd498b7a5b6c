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
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.plain_mae import PlainMAE
from mae_bench import provenance
from mae_bench.datasets import Batch, Dataset
from mae_bench.methods.mae import MAE
from mae_bench.optimiser import BETAS
from mae_bench.rows import write_table
from mae_bench.train import fit

MASK_RATIO = 0.75


@dataclass(frozen=True)
class Size:
    """A cell: its images, its networks, and how long a round of it is."""

    image_size: int
    channels: int
    batch_size: int
    steps: int
    networks: dict[str, int]


def _networks(patch: int, dim: int, depth: int, heads: int, *decoder: int) -> Any:
    names = ("patch_size", "embed_dim", "depth", "num_heads")
    behind = ("decoder_embed_dim", "decoder_depth", "decoder_num_heads")
    values = (patch, dim, depth, heads, *decoder)
    return dict(zip((*names, *behind), values, strict=True))


SIZES = {
    "S": Size(8, 1, 128, 30, _networks(2, 32, 2, 4, 32, 1, 4)),
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


def ours(size: Size, device: str, *, compiled: bool, lightning: bool) -> Steps:
    """So many steps of our MAE."""
    world = Still(size, device)
    init = torch.Generator().manual_seed(1)
    method = MAE(
        world, init, batch_size=size.batch_size, mask_ratio=MASK_RATIO, **size.networks
    ).to(device)
    method.noise = torch.Generator(device).manual_seed(2)
    if compiled:
        method.compile()
    if lightning:
        return lambda steps: fit(method, Repeated(world.batch, method, steps), device)
    (optimizer,), (schedule,) = method.configure_optimizers()

    def run(steps: int) -> None:
        for _ in range(steps):
            with _precision(device):
                loss = method.loss(world.batch, method.noise)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule["scheduler"].step()

    return run


class Repeated:
    """One batch, again and again, as ``fit`` takes its batches."""

    def __init__(self, batch: Batch, method: MAE, steps: int) -> None:
        self.batch, self.method = batch, method
        method.last_step = steps

    def __iter__(self) -> Iterator[list[Batch]]:
        for first in range(0, self.method.last_step, 10):
            yield [self.batch] * min(10, self.method.last_step - first)


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

    def run(steps: int) -> None:
        for _ in range(steps):
            draw = torch.rand(len(batch), patches, generator=noise, device=device)
            loss = model(batch.images, draw, round(patches * (1 - MASK_RATIO)))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()

    return run


def _precision(device: str) -> Any:
    """The precision that ``fit`` trains in; the plain loop is float32."""
    kind = device.partition(":")[0]
    return torch.autocast(kind, torch.bfloat16, enabled=kind == "cuda")


def seconds(run: Steps, steps: int, device: str) -> float:
    """Of the processor on a CPU, whatever else the machine does; of the clock else."""
    if device == "cpu":
        start = time.process_time()
        run(steps)
        return time.process_time() - start
    torch.cuda.synchronize()
    start = time.perf_counter()
    run(steps)
    torch.cuda.synchronize()
    return time.perf_counter() - start


def work(run: Steps) -> int:
    """Floating-point operations of the matrix products of one step."""
    counter = FlopCounterMode(display=False)
    with sdpa_kernel(SDPBackend.MATH), counter:
        run(1)
    return counter.get_total_flops()


def peak(device: str) -> float:
    """Operations a second of a product of two 1024 x 1024 matrices, as trained in."""
    side = 1024 if device == "cpu" else 8192
    kind = torch.float32 if device == "cpu" else torch.bfloat16
    a = torch.randn(side, side, device=device).to(kind)

    def multiply(times: int) -> None:
        for _ in range(times):
            a @ a

    multiply(3)
    best = min(seconds(multiply, 5, device) for _ in range(7))
    return 5 * 2 * side**3 / best


def compare(cell: str, device: str, rounds: int) -> list[dict[str, Any]]:
    """One row a variant."""
    size = SIZES[cell]
    run = {"plain": plain(size, device), "again": plain(size, device)}
    kinds = {"ours": (False, False), "ours, Lightning": (False, True)}
    kinds |= {"compiled": (True, False), "compiled, Lightning": (True, True)}
    first = {}
    for name, (compiled, lightning) in kinds.items():
        run[name] = ours(size, device, compiled=compiled, lightning=lightning)
    flops = {name: work(run[name]) for name in ("plain", "ours")}
    for name, go in run.items():
        start = time.perf_counter()
        go(1)
        first[name] = time.perf_counter() - start
        go(size.steps)
    times = [
        {name: seconds(go, size.steps, device) for name, go in run.items()}
        for _ in range(rounds)
    ]
    table, most = pd.DataFrame(times), peak(device)
    rows = []
    for name in run:
        ratio = (table["plain"] / table[name]).quantile([0.5, 0.1, 0.9])
        step = table[name].median() / size.steps
        done = flops["plain" if name in ("plain", "again") else "ours"]
        rows.append(
            {
                "cell": cell,
                "variant": name,
                "ms_a_step": 1000 * step,
                "images_per_second": size.batch_size / step,
                "share_of_peak": done / step / most,
                "ratio_to_plain": ratio[0.5],
                "low": ratio[0.1],
                "high": ratio[0.9],
                "rounds": rounds,
                "first_step_seconds": first[name],
                "gigaflop_a_step": done / 1e9,
                "peak_gigaflop_per_second": most / 1e9,
                "threads": torch.get_num_threads(),
                **provenance.machine(device),
            }
        )
    return rows


def main() -> None:
    """Write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cells", nargs="+", default=["S", "C"], choices=SIZES)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--output", type=Path, default=Path("results/speed.csv"))
    wanted = parser.parse_args()
    torch.set_num_threads(1)
    rows = [
        row
        for cell in wanted.cells
        for row in compare(cell, wanted.device, wanted.rounds)
    ]
    table = pd.DataFrame(rows)
    write_table(table, wanted.output)
    print(table.iloc[:, :11].to_string(index=False))  # noqa: T201 (a script)


if __name__ == "__main__":
    main()
