"""What happens inside a stack of blocks: its tokens and attention, layer by layer."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from jaxtyping import Float
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle


@dataclass(frozen=True)
class Recording:
    """One forward pass through a stack of blocks.

    Args:
        tokens: What enters the first block, then what leaves each of them: one more
            than there are blocks. A block may be asked for some of its tokens only.
        weights: How much each asked token reads from each other, in each block; rows
            sum to 1.
    """

    tokens: list[Float[Tensor, "n _ d"]] = field(default_factory=list)
    weights: list[Float[Tensor, "n heads q k"]] = field(default_factory=list)


@contextmanager
def record(blocks: nn.ModuleList) -> Iterator[Recording]:
    """Record the one forward pass that is made within.

    The weights are computed again from what the attention was given: the pass itself
    is as it would be without, and the hooks are gone afterwards.

    Args:
        blocks: Of an encoder or a decoder, each with its ``attn``.

    Yields:
        The recording, empty until the pass is made.
    """
    found = Recording()

    def entered(_: nn.Module, args: tuple[Any, ...]) -> None:
        found.tokens.append(args[0])

    def attended(module: nn.Module, args: tuple[Any, ...], _: Tensor) -> None:
        found.weights.append(module.weights(*args))  # type: ignore[operator]

    def left(_: nn.Module, __: tuple[Any, ...], output: Tensor) -> None:
        found.tokens.append(output)

    hooks: list[RemovableHandle] = []
    try:
        for block in blocks:
            if block is blocks[0]:
                hooks.append(block.register_forward_pre_hook(entered))
            attn = block.get_submodule("attn")
            hooks.append(attn.register_forward_hook(attended))
            hooks.append(block.register_forward_hook(left))
        yield found
    finally:
        for hook in hooks:
            hook.remove()
