"""What learns: each method a LightningModule in one file, all with the same outline.

``__init__`` builds, ``loss`` is one step's loss, ``features`` is what is probed.
Settings are keyword-only scalars with defaults; randomness comes by generator.
"""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Iterable
from typing import Any, ClassVar

import lightning as L
import torch
from jaxtyping import Float, Int64
from torch import Tensor
from torch.optim.lr_scheduler import LambdaLR

from mae_bench.datasets import Batch, Dataset
from mae_bench.models.masking import Masking, random_masking
from mae_bench.models.vit import ViT


def warmup_cosine(step: int, steps: int, warmup: float) -> float:
    """Share of the peak learning rate: linear warm-up, then half a cosine to 0.

    Args:
        step: From 0.
        steps: All of them.
        warmup: Share of the steps that warm up.

    >>> [round(warmup_cosine(s, 100, 0.1), 2) for s in (0, 9, 10, 55, 100)]
    [0.1, 1.0, 1.0, 0.5, 0.0]
    """
    warm = max(1, round(warmup * steps))
    if step < warm:
        return (step + 1) / warm
    return 0.5 * (1 + math.cos(math.pi * (step - warm) / max(1, steps - warm)))


class Method(L.LightningModule):
    """Contract of a method.

    Attributes:
        version: Moves when the trained encoder moves.
        trains: False for controls that have nothing to learn.
    """

    version: ClassVar[int]
    trains: ClassVar[bool] = True

    def __init__(
        self,
        dataset: Dataset,
        generator: torch.Generator,
        *,
        steps: int = 1000,
        batch_size: int = 64,
        lr: float = 0.01,
        weight_decay: float = 0.05,
        warmup: float = 0.5,
        stop: float = 1.0,
    ) -> None:
        """Keep the world and the budget.

        Args:
            dataset: The world that it learns from.
            generator: Draws the initial weights.
            steps: Optimiser steps, which set the schedule's length.
            batch_size: Images a step.
            lr: Peak learning rate.
            weight_decay: Of the weight matrices; biases, norms and tokens have none.
            warmup: Share of the steps in which the learning rate grows.
            stop: Share of the steps after which training ends, in [0, 1]: below 1 a
                checkpoint of the run to the end, at 0 the initial weights.

        Raises:
            ValueError: ``stop`` is outside its range.
        """
        super().__init__()
        del generator
        if not 0 <= stop <= 1:
            raise ValueError(f"stop {stop} is no share of the steps; choose in [0, 1]")
        self.automatic_optimization = False
        self.dataset = dataset
        self.steps = steps
        self.batch_size = batch_size
        self.lr = lr
        self.weight_decay = weight_decay
        self.warmup = warmup
        self.last_step = round(stop * steps)
        # Masks and augmentations of the training run; train.py seeds it.
        self.noise: torch.Generator | None = None

    @abstractmethod
    def features(
        self, batch: Batch, ids_keep: Int64[Tensor, "n k"] | None = None
    ) -> dict[str, Float[Tensor, "n _"]]:
        """Token name (``mean``, ``cls``, ``code``) -> what a probe reads.

        Args:
            batch: Images; only ``oracle_latents`` looks at the rest.
            ids_keep: Visible patches; all of them if None.
        """

    def loss(
        self, batch: Batch, generator: torch.Generator | None
    ) -> Float[Tensor, ""]:
        """The objective on one batch; masks and views are drawn from ``generator``."""
        del batch, generator
        raise TypeError(f"{type(self).__name__} has nothing to learn")

    def training_step(
        self, batches: Iterable[Batch], batch_idx: int
    ) -> Float[Tensor, " steps"]:
        """Some optimiser steps, one a batch, for Lightning; gives their losses.

        Lightning's own work is done once a call: of a small step it would be a share
        worth saving.
        """
        del batch_idx
        optimizer: Any = self.optimizers()
        schedule: Any = self.lr_schedulers()
        losses = []
        for batch in batches:
            loss = self.loss(batch, self.noise)
            optimizer.zero_grad()
            self.manual_backward(loss)
            optimizer.step()
            schedule.step()
            losses.append(loss.detach())
        return torch.stack(losses)

    def transfer_batch_to_device(
        self, batch: Iterable[Batch], device: torch.device, dataloader_idx: int
    ) -> Iterable[Batch]:
        """Nothing to do: images are sampled on the device."""
        del device, dataloader_idx
        return batch

    def configure_optimizers(self) -> Any:
        """AdamW (0.9, 0.95), warm-up and cosine by step."""
        trained = [p for p in self.parameters() if p.requires_grad]
        groups: list[dict[str, Any]] = [
            {"params": [p for p in trained if p.ndim > 1]},
            {"params": [p for p in trained if p.ndim <= 1], "weight_decay": 0.0},
        ]
        optimizer = torch.optim.AdamW(
            groups,
            lr=self.lr,
            betas=(0.9, 0.95),
            weight_decay=self.weight_decay,
            fused=True,
        )
        schedule = LambdaLR(
            optimizer, lambda step: warmup_cosine(step, self.steps, self.warmup)
        )
        return [optimizer], [{"scheduler": schedule, "interval": "step"}]


class ViTMethod(Method):
    """A method whose encoder is the ViT: the difference between methods is the loss."""

    def __init__(
        self,
        dataset: Dataset,
        generator: torch.Generator,
        *,
        patch_size: int = 2,
        embed_dim: int = 32,
        depth: int = 2,
        num_heads: int = 4,
        bottleneck: int = 0,
        pos_embed: bool = True,
        **budget: Any,
    ) -> None:
        """Build the encoder.

        Args:
            dataset: The world that it learns from.
            generator: Draws the initial weights.
            patch_size: In pixels; divides the image.
            embed_dim: Width of the tokens.
            depth: Number of blocks.
            num_heads: Attention heads; divides ``embed_dim``.
            bottleneck: Width of the ``code`` after pooling; 0 for none.
            pos_embed: Whether visible patches know their place.
            budget: See ``Method``.
        """
        super().__init__(dataset, generator, **budget)
        self.encoder = ViT(
            generator,
            image_size=dataset.image_size,
            channels=dataset.channels,
            patch_size=patch_size,
            embed_dim=embed_dim,
            depth=depth,
            num_heads=num_heads,
            bottleneck=bottleneck,
            pos_embed=pos_embed,
        )

    def masking(self, n: int, generator: torch.Generator) -> Masking:
        """Masks for n images; a method that has none of its own is shown a quarter."""
        return random_masking(n, self.encoder.grid_size, 0.75, generator)

    def features(
        self, batch: Batch, ids_keep: Int64[Tensor, "n k"] | None = None
    ) -> dict[str, Float[Tensor, "n _"]]:
        """The encoder's read-outs of the visible patches."""
        return self.encoder.readout(self.encoder(batch.images, ids_keep))
