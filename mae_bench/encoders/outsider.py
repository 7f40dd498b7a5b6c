"""Anyone's frozen encoder as a method: images as it wants them in, features out."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn
from torch.nn import functional as F

from mae_bench.datasets import Batch, Dataset
from mae_bench.encoders.specs import bytes_of
from mae_bench.methods import Method
from mae_bench.models.vit import ViT
from mae_bench.records.schema import Track, UsageError
from mae_bench.training.threads import threads

# What other people call them.
CLASS_TOKENS = (
    "cls_token",
    "class_token",
    "class_embedding",
    "dist_token",
    "distillation_token",
)
REGISTERS = ("register_tokens", "reg_token")
CHUNK = 100  # images at a time: a large ViT's tokens of more fill a small memory


def image_size_of(module: nn.Module) -> int | None:
    """Side of the images that a network says it wants; None if it does not say."""
    if isinstance(module, ViT):
        return module.grid_size * module.patch_size
    places = (
        ("patch_embed", "img_size"),
        ("config", "image_size"),
        ("pretrained_cfg", "input_size"),
    )
    for holder, word in places:
        said = getattr(module, holder, None)
        size = (
            said.get(word) if isinstance(said, Mapping) else getattr(said, word, None)
        )
        if isinstance(size, list | tuple) and size:
            size = size[-1]
        if isinstance(size, int):
            return size
    return None


def channels_of(module: nn.Module) -> int | None:
    """Channels that a network's first convolution wants; None if it has none."""
    if isinstance(module, ViT):
        return module.patch_embed.in_features // module.patch_size**2
    convolutions = (m for m in module.modules() if isinstance(m, nn.Conv2d))
    first = next(convolutions, None)
    return None if first is None else first.in_channels


def prefix_of(module: nn.Module) -> tuple[int, int] | None:
    """Tokens before the patches, and how many of these are registers.

    None of a network that neither says ``num_prefix_tokens`` nor has a parameter that
    is called as a class token usually is.
    """
    shapes = {n.rpartition(".")[2]: p.shape for n, p in module.named_parameters()}
    rows = [shapes[word][-2] for word in REGISTERS if word in shapes]
    registers, tokens = sum(rows), sum(word in shapes for word in CLASS_TOKENS)
    said = getattr(module, "num_prefix_tokens", None)
    if isinstance(said, int):
        return said, min(said, registers)
    return (registers + tokens, registers) if registers or tokens else None


def square(count: int) -> bool:
    """Whether so many patches make a square."""
    return count > 0 and math.isqrt(count) ** 2 == count


def tokens_of(
    found: Any, n: int, prefix: int = 1, registers: int = 0
) -> dict[str, Float[Tensor, "n _"]]:
    """What probes read of a network's output.

    Args:
        found: ``[n, d]``; ``[n, t, d]``; a square map, ``[n, d, h, w]`` as convolutions
            give it or ``[n, h, w, d]``; or what holds that as ``last_hidden_state``.
        n: Images that it was shown.
        prefix: Tokens before the patches, the class token first; 0 for none.
        registers: How many of these are registers, which are not read.

    Returns:
        ``mean`` of the patch tokens, and ``cls`` where there is one.

    Raises:
        UsageError: Something else.
    """
    found = held_in(found)
    shape = list(found.shape) if isinstance(found, Tensor) else type(found).__name__
    if isinstance(found, Tensor) and len(shape) > 1 and shape[0] == n:
        if found.ndim == 2:
            return {"mean": found.float()}
        if found.ndim == 4 and shape[2] == shape[3]:
            return {"mean": found.float().mean((2, 3))}
        if found.ndim == 4 and shape[1] == shape[2]:
            return {"mean": found.float().mean((1, 2))}
        if found.ndim == 3:
            tokens = found.float()
            if not 0 < prefix < tokens.shape[1]:
                return {"mean": tokens.mean(1)}
            mean = {"mean": tokens[:, prefix:].mean(1)}
            return mean | ({"cls": tokens[:, 0]} if prefix > registers else {})
    raise UsageError(
        f"its output for {n} images is {shape}; expected [{n}, d], [{n}, t, d], a "
        f"square map [{n}, d, h, h] or [{n}, h, h, d], or such a last_hidden_state"
    )


def held_in(found: Any) -> Any:
    """An output's ``last_hidden_state``, or the output if it has none."""
    if isinstance(found, Mapping):
        return found.get("last_hidden_state", found)
    return getattr(found, "last_hidden_state", found)


class Reader:
    """A frozen network, shown images as it wants them; what it said is remembered.

    On a finite set every seed has the same images, and a large network takes minutes.
    Worlds give images of about mean 0 and variance 1, as networks for normalised
    photographs want them: they are not normalised again.
    """

    def __init__(
        self,
        module: nn.Module,
        device: str = "cpu",
        image_size: int | None = None,
        told: Callable[[str], None] = lambda _: None,
    ) -> None:
        """Freeze it.

        Args:
            module: ``forward_features`` is asked if it has that, else ``forward``.
            device: Where it runs.
            image_size: Side of the images it is shown; its own word if None, and if
                it has none that of the dataset.
            told: Called with a line of what had to be assumed.
        """
        self.module = module.to(device).eval().requires_grad_(False)
        self.image_size = image_size or image_size_of(module)
        self.channels = channels_of(module)
        # Probes are small, and lose by threads that a large network gains from.
        self.threads = torch.get_num_threads()
        self.prefix, self.told = prefix_of(module), told
        self._said: dict[bytes, dict[str, Tensor]] = {}
        self._anew = False

    def __call__(
        self, images: Float[Tensor, "n c h w"]
    ) -> dict[str, Float[Tensor, "n _"]]:
        """Token -> features.

        Raises:
            UsageError: An output that no probe can read.
        """
        key = hashlib.sha256(bytes_of(images)).digest()
        if key not in self._said:
            if self._anew:
                self.forget()
            with threads(self.threads):
                parts = [self._ask(self.adapt(x)) for x in torch.split(images, CHUNK)]
            self._said[key] = {k: torch.cat([p[k] for p in parts]) for k in parts[0]}
        self._anew = False
        return dict(self._said[key])

    def begin(self) -> None:
        """Begin a world or a seed: if its first images are new, forget the last's."""
        self._anew = True

    def forget(self) -> None:
        """Free what was said."""
        self._said.clear()

    def adapt(self, images: Float[Tensor, "n c h w"]) -> Float[Tensor, "n _ side side"]:
        """Resized (bilinear, antialiased); of channels it does not want, the mean."""
        if self.channels not in (None, images.shape[1]):
            images = images.mean(1, keepdim=True).expand(-1, self.channels, -1, -1)
        if self.image_size not in (None, images.shape[-1]):
            images = F.interpolate(
                images, size=(self.image_size,) * 2, mode="bilinear", antialias=True
            )
        kinds = (p.dtype for p in self.module.parameters() if p.is_floating_point())
        return images.to(next(kinds, images.dtype))

    def _ask(self, images: Tensor) -> dict[str, Tensor]:
        if isinstance(self.module, ViT):
            return self.module.readout(self.module(images))
        found = getattr(self.module, "forward_features", self.module)(images)
        tokens = held_in(found)
        if self.prefix is None and isinstance(tokens, Tensor) and tokens.ndim == 3:
            self.prefix = self._assumed(tokens.shape[1])
        return tokens_of(found, len(images), *(self.prefix or (0, 0)))

    def _assumed(self, count: int) -> tuple[int, int]:
        """Tokens before the patches, where nobody says how many."""
        prefix = int(square(count - 1))
        self.told(
            f"assumed num_prefix_tokens {prefix} among {count} tokens: the network "
            "does not say; set it on the module"
        )
        return prefix, 0


class Outsider(Method):
    """An encoder that was trained elsewhere; nothing of it is trained here."""

    version: ClassVar[int] = 1
    track: ClassVar[Track] = "pixels"
    trains: ClassVar[bool] = False

    def __init__(
        self, dataset: Dataset, generator: torch.Generator, reader: Reader
    ) -> None:
        """Keep the network; ``generator`` is unused."""
        super().__init__(dataset, generator)
        self.reader = reader

    def features(
        self, batch: Batch, ids_keep: Int64[Tensor, "n k"] | None = None
    ) -> dict[str, Float[Tensor, "n _"]]:
        """The network's read-outs of whole images.

        Raises:
            ValueError: A masked view is asked for.
        """
        if ids_keep is not None:
            raise ValueError("an encoder from elsewhere has no masked view")
        return self.reader(batch.images)
