"""What other people's ViTs do that ours does not, done to one of ours."""

from __future__ import annotations

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from mae_bench.encoders.facts import ACTIVATIONS, Facts
from mae_bench.models.vit import Block, ViT


class PooledViT(ViT):
    """A ViT whose final norm comes after pooling, as where MAE or timm fine-tune."""

    def __init__(self, *args: Any, **settings: Any) -> None:
        """Build it; see ``ViT``."""
        super().__init__(*args, **settings)
        self.fc_norm = self.norm
        self.norm = nn.Identity()  # type: ignore[assignment]  # no norm before

    def readout(self, tokens: Float[Tensor, "n t d"]) -> dict[str, Tensor]:
        """``mean`` and ``cls`` of tokens that were not normed, then normed."""
        return {k: self.fc_norm(h) for k, h in super().readout(tokens).items()}


class Joined(nn.Module):
    """Register tokens join the others; attention does not ask where they stand."""

    def __init__(self, registers: Float[Tensor, "r d"]) -> None:
        """Keep them."""
        super().__init__()
        self.registers = nn.Parameter(registers)

    def forward(self, x: Float[Tensor, "n t d"]) -> Float[Tensor, "n t_and_r d"]:
        """The tokens, the registers last."""
        return torch.cat([x, self.registers.expand(len(x), -1, -1)], 1)


class Left(nn.Module):
    """Register tokens leave: they are not read."""

    def __init__(self, count: int) -> None:
        """Keep their number."""
        super().__init__()
        self.count = count

    def forward(self, x: Float[Tensor, "n t_and_r d"]) -> Float[Tensor, "n t d"]:
        """The tokens but for the last."""
        return x[:, : x.shape[1] - self.count]


def add_registers(vit: ViT, registers: Float[Tensor, "r d"]) -> None:
    """Let register tokens (Darcet et al. 2024) go along through a ViT's blocks."""
    inner = [Joined(registers), *vit.blocks, Left(len(registers))]
    vit.blocks = nn.ModuleList(inner)


def be_as(net: nn.Module, facts: Facts) -> None:
    """Give an encoder or a decoder the activation and the norms' eps that are said."""
    for part in net.modules():
        if isinstance(part, Block) and facts.hidden_act:
            part.mlp[1] = ACTIVATIONS[facts.hidden_act]()
        if isinstance(part, nn.LayerNorm) and facts.layer_norm_eps:
            part.eps = facts.layer_norm_eps
