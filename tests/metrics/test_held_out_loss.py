import pytest
import torch

from mae_bench.datasets.gaussian_tree import GaussianTree
from mae_bench.methods.mae import MAE
from mae_bench.methods.simclr import SimCLR
from mae_bench.metrics.held_out_loss import held_out_loss


def stream(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def mae(**settings) -> MAE:
    return MAE(GaussianTree(stream()), stream(), batch_size=16, **settings)


def test_it_is_the_mean_over_batches_of_the_trainings_size() -> None:
    method, noise = mae(), stream(2)
    batch = method.dataset.sample(40, stream(1))
    losses = [
        method.loss(batch.rows(slice(start, start + 16)), noise).item()
        for start in (0, 16)
    ]
    found = held_out_loss(method, batch, stream(2))
    assert found == {"mean": pytest.approx(sum(losses) / 2)}


def test_fewer_images_than_a_batch_are_one() -> None:
    method = SimCLR(GaussianTree(stream()), stream(), batch_size=64)
    batch = method.dataset.sample(10, stream(1))
    wanted = method.loss(batch, stream(2)).item()
    assert held_out_loss(method, batch, stream(2))["mean"] == pytest.approx(wanted)


def test_masks_depend_on_the_generator_and_on_no_learning_rate() -> None:
    batch = GaussianTree(stream()).sample(32, stream(1))
    one, two = (held_out_loss(mae(lr=lr), batch, stream(2)) for lr in (0.001, 0.03))
    assert one == two != held_out_loss(mae(), batch, stream(3))
