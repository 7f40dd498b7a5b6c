"""Streams: epochs, batches, processes, precisions, copies, collections."""

import copy
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.distributed as dist
import torch.multiprocessing as mp
from torch import Tensor, nn
from torchmetrics import MetricCollection

from mae_bench.metrics import Split
from mae_bench.metrics._stream import Stream, TooFew
from mae_bench.metrics.alignment import Alignment, alignment
from mae_bench.metrics.cka import CKA, cka
from mae_bench.metrics.class_similarity import ClassSimilarity, class_similarity
from mae_bench.metrics.effective_rank import RankMe, effective_rank
from mae_bench.metrics.participation_ratio import (
    ParticipationRatio,
    participation_ratio,
)
from mae_bench.metrics.reconstruction_error import (
    ReconstructionError,
    reconstruction_error,
)
from mae_bench.metrics.uniformity import Uniformity, uniformity
from mae_bench.records import registry
from tests.processes import START

SIZES = [25, 25, 25, 28]


def of_classes(features: Tensor, labels: Tensor) -> dict[str, Tensor]:
    split = Split(features, labels)
    found = class_similarity(split, split, split)
    return {k: torch.tensor(v, dtype=torch.float64) for k, v in found.items()}


# How a stream is made, the function that it follows, the variant, what it is fed.
STREAMS: dict[str, tuple[Callable[[], Stream], Callable[..., Any], str, str]] = {
    "rankme": (RankMe, effective_rank, "uncentred", "features"),
    "rank": (lambda: RankMe(centred=True), effective_rank, "centred", "features"),
    "ratio": (ParticipationRatio, participation_ratio, "centred", "features"),
    "raw_ratio": (
        lambda: ParticipationRatio(centred=False),
        participation_ratio,
        "uncentred",
        "features",
    ),
    "uniformity": (Uniformity, uniformity, "", "features"),
    "alignment": (Alignment, alignment, "distance", "pairs"),
    "gap": (lambda: Alignment(cosine_gap=True), alignment, "cosine_gap", "pairs"),
    "cka": (CKA, cka, "", "pairs"),
    "error": (ReconstructionError, reconstruction_error, "masked", "patches"),
    "classes": (lambda: ClassSimilarity(3), of_classes, "gap", "labels"),
    "intra": (lambda: ClassSimilarity(3, "intra"), of_classes, "intra", "labels"),
}
every = pytest.mark.parametrize("name", STREAMS)


def fed(name: str) -> tuple[Tensor, ...]:
    """What a stream is fed in all, 103 images."""
    generator = torch.Generator().manual_seed(0)
    h, other = torch.randn(2, sum(SIZES), 6, generator=generator) + 0.4
    kind = STREAMS[name][3]
    if kind == "labels":
        return h, torch.arange(len(h)) % 3
    return {
        "features": (h,),
        "pairs": (h, h + other),
        "patches": (h.view(-1, 2, 3), other.view(-1, 2, 3)),
    }[kind]


def batches(name: str) -> list[tuple[Tensor, ...]]:
    return list(zip(*(t.split(SIZES) for t in fed(name)), strict=True))


def full(name: str) -> Stream:
    """A stream that has seen all batches."""
    stream = STREAMS[name][0]()
    for batch in batches(name):
        stream.update(*batch)
    return stream


def value(name: str, *data: Tensor) -> Tensor:
    _, function, variant, _ = STREAMS[name]
    found: Tensor = function(*data)[variant]
    return found


def close(one: Tensor, other: Tensor) -> None:
    torch.testing.assert_close(one, other, rtol=1e-9, atol=1e-12)


def test_every_stream_of_the_suite_is_tried_here() -> None:
    metrics = [registry.load("metrics", name) for name in registry.names("metrics")]
    used = {metric.stream for metric in metrics if metric.stream}
    assert used < {type(make()) for make, *_ in STREAMS.values()}


@every
def test_an_epoch_is_one_number_that_of_all_its_images_in_one_call(name: str) -> None:
    found = full(name).compute()
    assert (found.shape, found.dtype) == ((), torch.float64)
    close(found, value(name, *fed(name)))


@every
def test_it_forgets_when_reset_and_goes_on_out_of_inference_mode(name: str) -> None:
    stream, (first, second, *_) = full(name), batches(name)
    with torch.inference_mode():
        stream.reset()
        stream.update(*first)
    stream.update(*second)
    both = (torch.cat(pair) for pair in zip(first, second, strict=True))
    close(stream.compute(), value(name, *both))


@every
def test_forward_gives_the_batch_and_keeps_the_epoch(name: str) -> None:
    stream = STREAMS[name][0]()
    for batch in batches(name):
        close(stream(*batch), value(name, *batch))
    close(stream.compute(), value(name, *fed(name)))


@every
def test_merged_states_are_those_of_one_that_saw_everything(name: str) -> None:
    one, two = STREAMS[name][0](), STREAMS[name][0]()
    for i, batch in enumerate(batches(name)):
        (one if i < 3 else two).update(*batch)
    one.merge_state(two)
    close(one.compute(), value(name, *fed(name)))


@every
@pytest.mark.filterwarnings("ignore:The ``compute`` method of metric")
def test_too_few_images_have_no_number_and_cost_none(name: str) -> None:
    stream = STREAMS[name][0]()
    assert stream.compute().isnan()
    with pytest.raises(TooFew):
        stream.variants()
    # A training goes on after a last batch of one image.
    assert not stream(*(t[:1] for t in fed(name))).isinf()
    stream.update(*(t[1:] for t in fed(name)))
    close(stream.compute(), value(name, *fed(name)))


@every
def test_features_that_are_no_numbers_end_a_training(name: str) -> None:
    first, *rest = fed(name)
    stream = STREAMS[name][0]()
    stream.update(first / 0, *rest)
    with pytest.raises(ValueError, match="NaN or infinity"):
        stream.compute()


def test_a_stream_merges_into_an_empty_one() -> None:
    for name in STREAMS:
        empty = STREAMS[name][0]()
        empty.update(*batches(name)[0])
        empty.reset()
        empty.merge_state(full(name))
        close(empty.variants()[STREAMS[name][2]], value(name, *fed(name)))


def one_of_two(rank: int, folder: str) -> None:
    torch.set_num_threads(1)
    meet = f"file://{folder}/meet"
    dist.init_process_group("gloo", init_method=meet, rank=rank, world_size=2)
    found = {}
    for name in STREAMS:
        stream = STREAMS[name][0]()
        for batch in batches(name)[rank::2]:
            stream.update(*batch)
        found[name] = stream.compute()
    torch.save(found, Path(folder) / f"{rank}.pt")
    dist.destroy_process_group()


def test_two_processes_give_what_one_gives(tmp_path: Path) -> None:
    mp.start_processes(one_of_two, (str(tmp_path),), nprocs=2, start_method=START)
    for found in (torch.load(tmp_path / f"{rank}.pt") for rank in (0, 1)):
        for name in STREAMS:
            close(found[name], value(name, *fed(name)))


def coarse(tensor: Tensor) -> Tensor:
    return tensor.bfloat16() if tensor.is_floating_point() else tensor


@every
def test_half_precision_is_widened_before_anything_is_computed(name: str) -> None:
    halves = [coarse(t) for t in fed(name)]
    wide = [t.float() if t.is_floating_point() else t for t in halves]
    stream = STREAMS[name][0]()
    stream.update(*halves)
    close(stream.compute(), value(name, *wide))


@every
def test_a_module_in_half_precision_keeps_the_sums_exact(name: str) -> None:
    stream = STREAMS[name][0]()
    nn.ModuleList([stream]).to(torch.bfloat16)
    for batch in batches(name):
        stream.update(*batch)
    close(stream.compute(), value(name, *fed(name)))
    stream.half()
    close(stream.compute(), value(name, *fed(name)))


@every
def test_automatic_mixed_precision_changes_nothing(name: str) -> None:
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = full(name).compute()
    close(found, value(name, *fed(name)))


@every
def test_copies_are_alike_and_go_their_own_ways(name: str) -> None:
    stream = full(name)
    before = stream.compute()
    for other in (
        pickle.loads(pickle.dumps(stream)),  # noqa: S301 (our own, just now)
        copy.deepcopy(stream),
        stream.clone(),
    ):
        close(other.compute(), before)
        other.reset()
        other.update(*batches(name)[0])
        close(other.compute(), value(name, *batches(name)[0]))
    close(stream.compute(), before)


def test_nothing_of_the_graph_is_kept() -> None:
    weight = torch.ones(1, requires_grad=True)
    for name in STREAMS:
        stream = STREAMS[name][0]()
        first, *rest = fed(name)
        stream(first * weight, *rest)
        assert not stream.compute().requires_grad


def test_kept_features_may_wait_in_the_cpus_memory() -> None:
    stream = Uniformity(compute_on_cpu=True)
    for batch in batches("uniformity"):
        stream.update(*batch)
    close(stream.compute(), value("uniformity", *fed("uniformity")))


def test_collections_share_states_and_take_what_each_is_fed_by_keyword() -> None:
    (h,), (first, second) = fed("rankme"), fed("cka")
    names = ["rankme", "rank", "ratio", "uniformity", "alignment", "cka"]
    collection = MetricCollection({name: STREAMS[name][0]() for name in names})
    for start in range(0, len(h), 20):
        rows = slice(start, start + 20)
        collection.update(features=h[rows], first=first[rows], second=second[rows])
    found = collection.clone(prefix="val/").compute()
    assert found.keys() == {f"val/{name}" for name in names}
    for name in names:
        close(found[f"val/{name}"], value(name, *fed(name)))
    groups = [set(group) for group in collection.compute_groups.values()]
    assert {"rankme", "rank"} in groups
    assert len(groups) == 5
    collection.reset()
    forward = collection(features=h[:20], first=first[:20], second=second[:20])
    for name in names:
        close(forward[name], value(name, *(t[:20] for t in fed(name))))
