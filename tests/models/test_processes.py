"""Two processes take the step that one takes with the joined batch."""

from pathlib import Path
from typing import Any

import pytest
import torch
import torch.distributed as dist
import torch.multiprocessing as mp
from torch import Tensor

from mae_bench.datasets.gaussian_tree import GaussianTree
from mae_bench.methods import Method
from mae_bench.models.masking import Masking
from mae_bench.models.processes import gather, shard
from mae_bench.records import registry
from tests.processes import START

SMALL: dict[str, Any] = {"embed_dim": 8, "depth": 1, "num_heads": 2, "batch_size": 8}
# Plain means over images, and losses of pairs of images.
CONTRASTED = ("mae", "supervised", "u_mae", "simclr", "lejepa_vit")


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def built(name: str) -> Method:
    world = GaussianTree(rng())
    method: Method = registry.load("methods", name)(world, rng(1), **SMALL)
    method.noise = rng(2)
    method.whole = True
    return method


def join(rank: int, folder: str) -> None:
    torch.set_num_threads(1)
    dist.init_process_group(
        "gloo", init_method=f"file://{folder}/meet", rank=rank, world_size=2
    )


def gradients() -> dict[str, Tensor]:
    """Of one batch, or of this process's rows of it."""
    found = {}
    for name in CONTRASTED:
        method = built(name)
        method.loss(method.dataset.sample(8, rng(3)), method.noise).backward()
        weights = method.named_parameters()
        found |= {f"{name} {k}": w.grad for k, w in weights if w.grad is not None}
    return found


def halve() -> dict[str, Tensor]:
    masking = Masking(torch.arange(8).view(4, 2), torch.arange(4).view(4, 1))
    images, (kept, masked) = shard((torch.arange(4.0).view(4, 1), masking))
    with pytest.raises(ValueError, match="2 processes cannot share 3 images"):
        shard(torch.zeros(3, 1))
    joined = gather(images)
    return {"images": images, "kept": kept, "masked": masked, "joined": joined}


def own() -> dict[str, Tensor]:
    """The loss of a batch that is one's own: it is not cut."""
    method = built("mae")
    method.whole = False
    return {"own": method.loss(method.dataset.sample(8, rng(3)), method.noise)}


def one_of_two(rank: int, folder: str) -> None:
    torch.set_num_threads(1)
    dist.init_process_group(
        "gloo", init_method=f"file://{folder}/meet", rank=rank, world_size=2
    )
    mine = gradients()
    for gradient in mine.values():
        dist.all_reduce(gradient)
        gradient /= 2  # the mean, which DistributedDataParallel takes
    torch.save(halve() | own() | mine, Path(folder) / f"{rank}.pt")
    dist.destroy_process_group()


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Tensor]]:
    """What each of two processes came to, by rank."""
    folder = tmp_path_factory.mktemp("two")
    mp.start_processes(one_of_two, (str(folder),), nprocs=2, start_method=START)
    return [torch.load(folder / f"{rank}.pt") for rank in (0, 1)]


def test_the_mean_gradient_of_two_processes_is_that_of_the_joined_batch(
    found: list[dict[str, Tensor]],
) -> None:
    for name, gradient in gradients().items():
        for part in found:
            torch.testing.assert_close(part[name], gradient, rtol=1e-4, atol=1e-6)


def test_of_a_batch_of_its_own_a_process_keeps_all_rows(
    found: list[dict[str, Tensor]],
) -> None:
    for part in found:
        assert part["own"].item() == own()["own"].item()


def test_two_processes_halve_a_nest_and_join_it_in_order(
    found: list[dict[str, Tensor]],
) -> None:
    one, two = found
    assert torch.cat([one["images"], two["images"]]).flatten().tolist() == [0, 1, 2, 3]
    assert one["kept"].tolist() == [[0, 1], [2, 3]]
    assert two["masked"].tolist() == [[2], [3]]
    assert all(part["joined"].flatten().tolist() == [0, 1, 2, 3] for part in found)


def test_one_process_alone_keeps_all_rows() -> None:
    masking = Masking(torch.arange(6).view(3, 2), torch.arange(3).view(3, 1))
    assert shard(masking) is masking
    rows = torch.rand(3, 2, generator=rng())
    assert gather(rows) is rows
