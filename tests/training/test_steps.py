"""The suite's steps are those of a loop, and of nobody else."""

from typing import Any

import lightning as L
import pytest
import torch
from torch import Tensor

from mae_bench.datasets import Batch
from mae_bench.datasets.gaussian_tree import GaussianTree
from mae_bench.methods import Method
from mae_bench.methods.byol import BYOL
from mae_bench.methods.mae import MAE
from mae_bench.methods.simclr import SimCLR
from mae_bench.training.steps import Steps, _parts

SMALL: dict[str, Any] = {"embed_dim": 8, "depth": 1, "num_heads": 2, "steps": 6}


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def built(kind: type[Method]) -> Method:
    method = kind(GaussianTree(rng()), rng(1), **SMALL)
    method.noise = rng(2)
    return method


def batches(method: Method) -> list[Batch]:
    stream = rng(3)
    return [method.dataset.sample(8, stream) for _ in range(6)]


def looped(method: Method) -> list[float]:
    (optimizer,), (entry,) = method.configure_optimizers()
    weights, losses = dict(method.named_parameters()), []
    for step, batch in enumerate(batches(method)):
        optimizer.zero_grad()
        loss = method.loss(batch, method.noise)
        loss.backward()
        optimizer.step()
        method.follow(weights, step)
        entry["scheduler"].step()
        losses.append(loss.item())
    return losses


class Kept(L.Callback):
    """The losses of each call."""

    def __init__(self) -> None:
        self.losses: list[Tensor] = []

    def on_train_batch_end(self, _: Any, __: Any, outputs: Any, *___: Any) -> None:
        self.losses.append(outputs["loss"])


@pytest.mark.filterwarnings("ignore::Warning:lightning")
@pytest.mark.parametrize("kind", [MAE, BYOL])
def test_a_call_takes_one_step_a_batch_and_gives_their_losses(
    kind: type[Method],
) -> None:
    method, other, kept = built(kind), built(kind), Kept()
    given = batches(method)
    trainer = L.Trainer(
        accelerator="cpu",
        max_epochs=1,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        callbacks=[kept],
    )
    trainer.fit(Steps(method), iter([given[:4], given[4:]]))
    assert [len(losses) for losses in kept.losses] == [4, 2]
    assert torch.cat(kept.losses).tolist() == looped(other)
    state = other.state_dict()
    assert all(torch.equal(w, state[name]) for name, w in method.state_dict().items())


def test_its_batches_are_those_that_every_process_draws_whole() -> None:
    method = built(MAE)
    steps = Steps(method)
    assert method.whole
    assert steps.transfer_batch_to_device(x := [], torch.device("meta"), 0) is x


def test_a_method_with_steps_of_its_own_is_refused() -> None:
    class Own(MAE):
        def training_step(self, batch: Any, batch_idx: int) -> Tensor:
            return super().training_step(batch, batch_idx) * 2

    with pytest.raises(TypeError, match="Own has a training_step of its own"):
        Steps(built(Own))


def gradients(kind: type[Method], parts: int) -> tuple[Tensor, Tensor]:
    """Loss and gradients of one step on 16 images."""
    method = kind(GaussianTree(rng()), rng(1), **SMALL, batch_size=16, accumulate=parts)
    method.noise = rng(2)
    steps = Steps(method)
    steps.manual_backward = lambda loss: loss.backward()
    loss = steps._gradients(method.dataset.sample(16, rng(3)))
    return loss, torch.cat([p.grad.flatten() for p in method.parameters()])


def test_parts_of_a_step_add_up_and_a_loss_of_pairs_has_fewer_of_them() -> None:
    loss, gradient = gradients(MAE, 1)
    parted, added = gradients(MAE, 4)
    torch.testing.assert_close(parted, loss)
    torch.testing.assert_close(added, gradient, rtol=1e-4, atol=1e-6)
    loss, parted = gradients(SimCLR, 1)[0], gradients(SimCLR, 4)[0]
    assert loss - parted > 1  # of 31 other views to tell apart, 7 are left


def test_images_that_cannot_be_parted_are_refused() -> None:
    with pytest.raises(ValueError, match="accumulate 5 does not divide the 16 images"):
        gradients(MAE, 5)
    with pytest.raises(ValueError, match="accumulate 0 does not divide"):
        gradients(MAE, 0)
    with pytest.raises(ValueError, match="6 images cannot be taken in 4 parts"):
        [*_parts((torch.zeros(6, 2), (torch.zeros(6),)), 4)]
