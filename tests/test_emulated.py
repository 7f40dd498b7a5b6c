"""The emulated GPU computes as the CPU does, refuses mixtures and logs waits."""

from typing import Any

import pytest
import torch
from torch import nn

from tests.emulated import MixedDevices, emulated, here


def stream(device: str = "cuda", seed: int = 0) -> torch.Generator:
    return torch.Generator(device).manual_seed(seed)


# What the emulation refuses and sees.


def test_it_computes_what_the_cpu_does() -> None:
    x = torch.randn(3, 4)
    layer = nn.Linear(4, 2)
    expected = layer(x).relu()
    with emulated() as syncs:
        found = layer.to("cuda")(x.to("cuda")).relu()
        assert found.device == torch.device("cuda:0")
        assert [word for word, _ in syncs] == ["_to_copy"] * 3
        assert torch.equal(here(found), expected)
        drawn = torch.randn(3, generator=stream(), device="cuda")
    assert torch.equal(here(drawn), torch.randn(3, generator=stream("cpu")))


@pytest.mark.parametrize(
    "mix",
    [
        lambda x, y: x + y,
        lambda x, y: x @ y,
        lambda x, y: torch.cat([x, y]),
        lambda x, y: y[x > 0],
        lambda x, y: torch.nn.functional.linear(x, y),
    ],
)
def test_it_refuses_tensors_of_two_devices(mix: Any) -> None:
    with emulated():
        x, y = torch.ones(2, 2, device="cuda"), torch.ones(2, 2)
        with pytest.raises(MixedDevices, match="on cuda:0 and cpu"):
            mix(x, y)


@pytest.mark.parametrize(("place", "other"), [("cpu", "cuda"), ("cuda", "cpu")])
def test_it_refuses_a_generator_of_another_device(place: str, other: str) -> None:
    with emulated():
        noise = stream(other)
        for draw in (torch.rand, torch.randn):
            with pytest.raises(MixedDevices, match=f"{draw.__name__} on {place}"):
                draw(2, generator=noise, device=place)
        with pytest.raises(MixedDevices, match="normal_"):
            torch.empty(2, device=place).normal_(generator=noise)


@pytest.mark.parametrize(
    ("look", "word"),
    [
        (lambda x: x.sum().item(), "_local_scalar_dense"),
        (lambda x: bool(x[0] > 0), "_local_scalar_dense"),
        (lambda x: x.cpu(), "_to_copy"),
        (lambda x: x.tolist(), "_to_copy"),
        (lambda x: x.nonzero(), "nonzero"),
        (lambda x: x[x > 0], "index"),
        (lambda x: x[torch.tensor([0])], "index"),
        (lambda x: x + torch.ones(2).to("cuda"), "_to_copy"),
        (lambda x: x + torch.tensor([1.0, 2.0], device="cuda"), "_to_copy"),
        (lambda x: torch.empty(2).copy_(x), "copy_"),
        (lambda x: torch.equal(x, x), "equal"),
    ],
)
def test_it_logs_what_makes_the_host_wait(look: Any, word: str) -> None:
    with emulated() as syncs:
        x = torch.ones(2, device="cuda")
        look(x)
        assert word in [what for what, _ in syncs]


def test_it_logs_nothing_of_work_that_stays_on_the_device() -> None:
    with emulated() as syncs:
        x = torch.ones(2, 2, device="cuda")
        x[0] = 3
        x[x > 2] = 0
        (x.exp() @ x + 2.5).mean(0).argsort()
        x.add_(torch.rand(2, 2, generator=stream(), device="cuda"))
    assert syncs == []
