"""Anyone's frozen encoder as a method: images as it wants them in, features out."""

from __future__ import annotations

import hashlib
import importlib
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar

import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn
from torch.nn import functional as F

from mae_bench.datasets import Batch, Dataset
from mae_bench.encoders import checkpoint
from mae_bench.methods import Method
from mae_bench.models.vit import ViT
from mae_bench.records.faults import in_one_line
from mae_bench.records.schema import Track, UsageError

CHUNK = 100  # images at a time: a large ViT's tokens of more fill a small memory


def load(spec: str, num_heads: int | None = None) -> nn.Module:
    """The network that a checkpoint or ``module:function`` stands for.

    Args:
        spec: A file of weights in a layout that is known, or a function without
            arguments, found from the current folder, that gives an ``nn.Module``.
        num_heads: Of a checkpoint; see ``checkpoint.encoder_of``.

    Raises:
        UsageError: Neither, or one that cannot be used.
    """
    if not Path(spec).exists() and ":" not in spec:
        raise UsageError(f"there is no {spec}; give a checkpoint, or module:function")
    if Path(spec).exists():
        return checkpoint.encoder_of(checkpoint.read(spec), num_heads)
    place, _, word = spec.partition(":")
    if (here := str(Path.cwd())) not in sys.path:
        sys.path.insert(0, here)
    try:
        found = getattr(importlib.import_module(place), word)
        module = found if isinstance(found, nn.Module) else found()
    except Exception as error:
        # It is the user's code, which may raise anything.
        raise UsageError(f"{spec} cannot be had: {in_one_line(error)}") from error
    if not isinstance(module, nn.Module):
        raise UsageError(f"{spec} gave {type(module).__name__}; expected an nn.Module")
    ratio = getattr(getattr(module, "config", None), "mask_ratio", None)
    if ratio:
        raise UsageError(
            f"{spec} masks what it is shown; set its config.mask_ratio, now {ratio}, "
            "to 0"
        )
    return module


def identity(spec: str, module: nn.Module) -> str:
    """SHA-256 of the checkpoint's file, or of the network's weights and buffers."""
    if Path(spec).is_file():
        with Path(spec).open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    sha = hashlib.sha256()
    for name, tensor in sorted([*module.named_parameters(), *module.named_buffers()]):
        sha.update(name.encode())
        sha.update(_bytes(tensor))
    return sha.hexdigest()


def _bytes(tensor: Tensor) -> bytes:
    flat = tensor.detach().cpu().contiguous().flatten()
    return flat.view(torch.uint8).numpy().tobytes()


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


def tokens_of(found: Any, n: int, prefix: int = 1) -> dict[str, Float[Tensor, "n _"]]:
    """What probes read of a network's output.

    Args:
        found: ``[n, d]``; ``[n, t, d]``; or what holds that as ``last_hidden_state``.
        n: Images that it was shown.
        prefix: Tokens before the patches, the class token first; 0 for none.

    Returns:
        ``mean`` of the patch tokens, and ``cls`` where there is one.

    Raises:
        UsageError: Something else.
    """
    if isinstance(found, Mapping):
        found = found.get("last_hidden_state", found)
    else:
        found = getattr(found, "last_hidden_state", found)
    if not isinstance(found, Tensor) or found.ndim not in (2, 3) or len(found) != n:
        what = list(found.shape) if isinstance(found, Tensor) else type(found).__name__
        raise UsageError(
            f"its output for {n} images is {what}; expected [{n}, d], [{n}, t, d], or "
            "such a last_hidden_state"
        )
    if found.ndim == 2:
        return {"mean": found.float()}
    tokens = found.float()
    if not 0 < prefix < tokens.shape[1]:
        return {"mean": tokens.mean(1)}
    return {"mean": tokens[:, prefix:].mean(1), "cls": tokens[:, 0]}


@contextmanager
def threads(count: int) -> Iterator[None]:
    """So many threads of torch's, for a while."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


class Reader:
    """A frozen network, shown images as it wants them; what it said is remembered.

    On a finite set every seed has the same images, and a large network takes minutes.
    Worlds give images of about mean 0 and variance 1, as networks for normalised
    photographs want them: they are not normalised again.
    """

    def __init__(
        self, module: nn.Module, device: str = "cpu", image_size: int | None = None
    ) -> None:
        """Freeze it.

        Args:
            module: ``forward_features`` is asked if it has that, else ``forward``.
            device: Where it runs.
            image_size: Side of the images it is shown; its own word if None, and if
                it has none that of the dataset.
        """
        self.module = module.to(device).eval().requires_grad_(False)
        self.image_size = image_size or image_size_of(module)
        self.channels = channels_of(module)
        # Probes are small, and lose by threads that a large network gains from.
        self.threads = torch.get_num_threads()
        self._said: dict[bytes, dict[str, Tensor]] = {}

    def __call__(
        self, images: Float[Tensor, "n c h w"]
    ) -> dict[str, Float[Tensor, "n _"]]:
        """Token -> features.

        Raises:
            UsageError: An output that no probe can read.
        """
        key = hashlib.sha256(_bytes(images)).digest()
        if key not in self._said:
            with threads(self.threads):
                parts = [self._ask(self.adapt(x)) for x in torch.split(images, CHUNK)]
            self._said[key] = {k: torch.cat([p[k] for p in parts]) for k in parts[0]}
        return dict(self._said[key])

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
        ask = getattr(self.module, "forward_features", self.module)
        prefix = getattr(self.module, "num_prefix_tokens", 1)
        return tokens_of(ask(images), len(images), prefix)


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
