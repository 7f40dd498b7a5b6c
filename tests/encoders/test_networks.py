import pytest
import torch
from torch import nn

from mae_bench.encoders.facts import Facts
from mae_bench.encoders.networks import Left, PooledViT, add_registers, be_as
from mae_bench.models.vit import Block, ViT


def vit(kind: type[ViT] = ViT) -> ViT:
    sizes = {"image_size": 8, "channels": 3, "patch_size": 4, "embed_dim": 8}
    stream = torch.Generator().manual_seed(0)
    return kind(stream, **sizes, depth=2, num_heads=2).eval()


def images() -> torch.Tensor:
    return torch.randn(3, 3, 8, 8, generator=torch.Generator().manual_seed(1))


def test_registers_are_seen_by_all_and_read_by_none():
    net, plain = vit(), vit()
    add_registers(net, torch.randn(5, 8, generator=torch.Generator().manual_seed(2)))
    tokens = net(images())
    assert tokens.shape == (3, 1 + 4, 8)
    assert not torch.allclose(tokens, plain(images()), atol=1e-2)
    assert isinstance(net.blocks[-1], Left)
    assert any("registers" in name for name, _ in net.named_parameters())


def test_registers_stand_where_they_like():
    net, other = vit(), vit()
    registers = torch.randn(2, 8, generator=torch.Generator().manual_seed(2))
    add_registers(net, registers)
    add_registers(other, registers.flip(0))
    assert torch.allclose(net(images()), other(images()), atol=1e-5)


def test_a_norm_after_pooling():
    net = vit(PooledViT)
    found = net.readout(net(images()))
    mean = net(images())[:, 1:].mean(1)
    assert torch.allclose(found["mean"], net.fc_norm(mean))


@pytest.mark.parametrize(("name", "kind"), [("relu", nn.ReLU), (None, nn.GELU)])
def test_activation_and_eps_are_as_they_are_said(name, kind):
    net = vit()
    be_as(net, Facts(hidden_act=name, layer_norm_eps=0.5))
    blocks = [part for part in net.modules() if isinstance(part, Block)]
    assert all(isinstance(block.mlp[1], kind) for block in blocks)
    norms = [part for part in net.modules() if isinstance(part, nn.LayerNorm)]
    assert {norm.eps for norm in norms} == {0.5}
