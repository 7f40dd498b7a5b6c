"""SimCLR of a ResNet-18: its loss, its optimiser, and what it cannot be asked."""

import pytest
import torch

from mae_bench.datasets import Dataset
from mae_bench.methods.simclr import nt_xent
from mae_bench.methods.simclr_resnet import SimCLRResNet


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_its_loss_is_nt_xent_of_two_crops(stripes: Dataset) -> None:
    method = SimCLRResNet(stripes, rng(), steps=4)
    batch = stripes.sample(8, rng(1))
    one, two = method.prepare(batch, rng(2))
    assert one.shape == two.shape == batch.images.shape
    assert not torch.equal(one, two)
    z1, z2 = method.projector(method.pooled(torch.cat([one, two]))).chunk(2)
    expected = nt_xent(z1, z2, 0.5)
    torch.testing.assert_close(method((one, two)), expected)


def test_it_descends_as_published(stripes: Dataset) -> None:
    method = SimCLRResNet(stripes, rng(), steps=10)
    (optimizer,), (entry,) = method.configure_optimizers()
    (group,) = optimizer.param_groups
    assert isinstance(optimizer, torch.optim.SGD)
    assert (group["momentum"], group["weight_decay"]) == (0.9, 5e-4)
    assert len(group["params"]) == len([*method.parameters()])
    rates = []
    for _ in range(11):
        rates.append(group["lr"])
        optimizer.step()
        entry["scheduler"].step()
    assert rates[0] == rates[1] == pytest.approx(0.06)
    assert rates == sorted(rates, reverse=True)
    assert rates[-1] == pytest.approx(0)


def test_frozen_an_image_is_read_alone_and_whole(stripes: Dataset) -> None:
    method = SimCLRResNet(stripes, rng(), steps=4)
    batch = stripes.sample(6, rng(1))
    trained = method.features(batch)["mean"]
    method.eval()
    assert not torch.allclose(trained, method.features(batch)["mean"])
    with pytest.raises(ValueError, match="whole images"):
        method.features(batch, torch.zeros(6, 2, dtype=torch.long))


@pytest.mark.parametrize(
    "bad", [{"temperature": 0.0}, {"crops": 0.0}, {"momentum": 1.0}]
)
def test_a_setting_outside_its_range_is_refused(
    stripes: Dataset, bad: dict[str, float]
) -> None:
    with pytest.raises(ValueError, match="choose above 0, in"):
        SimCLRResNet(stripes, rng(), **bad)
