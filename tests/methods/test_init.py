from typing import Any, ClassVar

import lightning as L
import pytest
import torch
from torch import Tensor, nn

from mae_bench.datasets import Batch, Dataset
from mae_bench.datasets.identity import Identity
from mae_bench.methods import Method, ViTMethod
from mae_bench.models.optimiser import warmup_cosine


@pytest.fixture
def dataset() -> Dataset:
    return Identity(torch.Generator().manual_seed(0))


class Line(Method):
    """A weight matrix, a bias and a frozen part."""

    version: ClassVar[int] = 1

    def __init__(self, dataset: Dataset, generator: torch.Generator, **budget: Any):
        super().__init__(dataset, generator, **budget)
        self.weight = nn.Parameter(torch.ones(2, 2))
        self.bias = nn.Parameter(torch.ones(2))
        self.frozen = nn.Parameter(torch.ones(2, 2), requires_grad=False)

    def features(
        self, batch: Batch, ids_keep: Tensor | None = None
    ) -> dict[str, Tensor]:
        del ids_keep
        return {"mean": batch.images.flatten(1)}


def test_weight_matrices_decay_and_the_rest_does_not(dataset: Dataset) -> None:
    method = Line(dataset, torch.Generator(), weight_decay=0.1, lr=0.02)
    (optimizer,), _ = method.configure_optimizers()
    matrices, others = optimizer.param_groups
    assert [matrices["weight_decay"], others["weight_decay"]] == [0.1, 0.0]
    assert len(matrices["params"]) == len(others["params"]) == 1
    assert matrices["params"][0] is method.weight
    assert others["params"][0] is method.bias
    assert (optimizer.defaults["lr"], optimizer.defaults["betas"]) == (
        0.02,
        (0.9, 0.95),
    )


def test_the_schedule_moves_by_step(dataset: Dataset) -> None:
    method = Line(dataset, torch.Generator(), steps=20, lr=1.0, warmup=0.2)
    (optimizer,), (entry,) = method.configure_optimizers()
    assert entry["interval"] == "step"
    schedule = entry["scheduler"]
    rates = []
    for _ in range(20):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedule.step()
    assert rates == pytest.approx([warmup_cosine(k, 20, 0.2) for k in range(20)])


def test_a_step_is_one_kernel_but_where_lightning_would_not_clip_it(
    dataset: Dataset,
) -> None:
    method = Line(dataset, torch.Generator())
    (optimizer,), _ = method.configure_optimizers()
    assert optimizer.defaults["fused"]
    for clip in (None, 0.0, 1.0):
        method.trainer = L.Trainer(logger=False, gradient_clip_val=clip)
        (optimizer,), _ = method.configure_optimizers()
        assert optimizer.defaults["fused"] is not bool(clip)


class Counting(Line):
    """Its loss is the number of images that it is shown."""

    def prepare(self, batch: Batch, generator: torch.Generator) -> Any:
        del generator
        return batch.images

    def forward(self, example: Any) -> Tensor:
        return torch.tensor(float(len(example)))


def test_a_loss_is_of_a_batch_or_of_what_a_dataloader_gives(dataset: Dataset) -> None:
    method, noise = Counting(dataset, torch.Generator()), torch.Generator()
    batch = dataset.sample(5, noise)
    for given in (batch, batch.images, [batch.images], (batch.images, None)):
        assert method.loss(given, noise) == 5
    with pytest.raises(ValueError, match="reshape them, or build the method"):
        method.loss(batch.images[:, :, :1], noise)


@pytest.mark.parametrize("whole", [True, False])
def test_only_a_batch_that_every_process_has_is_shared_out(
    dataset: Dataset, monkeypatch: pytest.MonkeyPatch, whole: bool
) -> None:
    method, noise = Counting(dataset, torch.Generator()), torch.Generator()
    monkeypatch.setattr("mae_bench.methods.shard", lambda rows: rows[:2])
    assert not method.whole
    method.whole = whole
    assert method.loss(dataset.sample(5, noise), noise) == (2 if whole else 5)


def test_a_method_without_a_loss_says_that_it_has_nothing_to_learn(
    dataset: Dataset,
) -> None:
    method = Line(dataset, torch.Generator())
    batch = dataset.sample(2, torch.Generator())
    with pytest.raises(TypeError, match="Line has nothing to learn"):
        method.loss(batch, torch.Generator())


@pytest.mark.parametrize("stop", [-0.1, 1.1])
def test_a_stop_outside_the_training_is_refused(dataset: Dataset, stop: float) -> None:
    with pytest.raises(ValueError, match="no share of the steps"):
        Line(dataset, torch.Generator(), stop=stop)


def test_a_vit_method_reads_its_encoder_and_hides_what_it_is_told_to(
    dataset: Dataset,
) -> None:
    method = ViTMethod(dataset, torch.Generator().manual_seed(0), bottleneck=3).eval()
    batch = dataset.sample(4, torch.Generator().manual_seed(1))
    seen = method.features(batch)
    assert seen["code"].shape == (4, 3)
    patches = method.encoder.grid_size**2
    everything = torch.arange(patches).expand(4, -1)
    whole, part = (
        method.features(batch, ids) for ids in (everything, everything[:, :1])
    )
    assert torch.allclose(seen["mean"], whole["mean"], atol=1e-6)
    assert not torch.allclose(seen["mean"], part["mean"], atol=1e-3)
