"""What learns: each method a LightningModule in one file, all with the same outline.

``__init__`` builds, ``prepare`` draws what a step is shown, ``forward`` is its loss,
``features`` is what is probed. Settings are keyword-only scalars with defaults;
randomness comes by generator, and ``prepare`` alone uses it. Any of them trains in a
Lightning Trainer of one's own, on images of one's own; see ``Trainable``.
"""

from __future__ import annotations

import warnings
from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar, Literal, Protocol, runtime_checkable

import torch
from jaxtyping import Float, Int64
from torch import Tensor
from torch.optim.lr_scheduler import LambdaLR

from mae_bench.datasets import Batch, Dataset
from mae_bench.datasets._own_images import batch_of
from mae_bench.methods._trainable import Trainable
from mae_bench.models.masking import Masking, random_masking
from mae_bench.models.momentum import LeftBehind
from mae_bench.models.optimiser import adamw, warmup_cosine
from mae_bench.models.processes import shard
from mae_bench.models.vit import ViT
from mae_bench.records.room import furnish
from mae_bench.records.schema import Track


class Method(Trainable):
    """Contract of a method.

    Attributes:
        version: Moves when the trained encoder moves.
        track: What it is told while it learns.
        trains: False for controls that have nothing to learn.
        passes: False if what it keeps has another shape at an earlier ``stop``, so that
            a longer training does not pass it.
        joins: Experiments that run it without naming it.
        judged_by: What tells its trainings apart without labels: its held-out ``loss``,
            or, where a collapsed encoder has a low loss, the features' ``rank`` among
            those whose loss went far.
        noise: Draws masks and views in the suite, which gives it.
        whole: Whether each of several processes is given all images of a batch, and
            learns from its own rows of what is prepared.
    """

    version: ClassVar[int]
    track: ClassVar[Track]
    trains: ClassVar[bool] = True
    passes: ClassVar[bool] = True
    joins: ClassVar[tuple[str, ...]] = ("leaderboard",)
    judged_by: ClassVar[Literal["loss", "rank"]] = "loss"
    noise: torch.Generator

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
        accumulate: int = 1,
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
            accumulate: Parts in which a step's images are taken, gradients added, so
                that memory holds one at a time; a loss of pairs has fewer of them.

        Raises:
            ValueError: ``stop`` is outside its range, or parts are not of one size.
        """
        super().__init__(dataset, generator)
        if not 0 <= stop <= 1:
            raise ValueError(f"stop {stop} is no share of the steps; choose in [0, 1]")
        if accumulate < 1 or batch_size % accumulate:
            raise ValueError(
                f"accumulate {accumulate} does not divide the {batch_size} images of a "
                "step; choose one of its divisors"
            )
        self.steps = steps
        self.batch_size = batch_size
        self.accumulate = accumulate
        self.lr = lr
        self.weight_decay = weight_decay
        self.warmup = warmup
        self.last_step = round(stop * steps)
        self.whole = False
        self._left_behind = LeftBehind()

    @classmethod
    def told_on(cls, world: type[Dataset]) -> Track:
        """What it is told on a world, where that is not the same on all of them."""
        del world
        return cls.track

    @abstractmethod
    def features(
        self, batch: Batch, ids_keep: Int64[Tensor, "n k"] | None = None
    ) -> dict[str, Float[Tensor, "n _"]]:
        """Token name (``mean``, ``cls``, ``code``) -> what a probe reads.

        Args:
            batch: Images; only ``oracle_latents`` looks at the rest.
            ids_keep: Visible patches; all of them if None.
        """

    def prepare(self, batch: Batch, generator: torch.Generator) -> Any:
        """What one step is shown, with all that chance decides of it decided.

        Args:
            batch: n images.
            generator: Draws masks, noise and views.

        Returns:
            An argument of ``forward``: tensors, or a nest of tuples of them, each with
            the n images on its first axis.
        """
        del batch, generator
        raise TypeError(f"{type(self).__name__} has nothing to learn")

    def forward(self, example: Any) -> Float[Tensor, ""]:
        """The loss, a function of the weights and of what ``prepare`` gave."""
        del example
        raise TypeError(f"{type(self).__name__} has nothing to learn")

    def loss(self, batch: Any, generator: torch.Generator) -> Float[Tensor, ""]:
        """The loss on one batch.

        Args:
            batch: A batch, or what a DataLoader gives: images [n c h w], or a pair of
                them and their labels.
            generator: Draws masks and views, on the images' device.

        Warns:
            UserWarning: Weights moved, and what ``follow`` moves did not.
        """
        follows = type(self).follow is not Method.follow
        if follows and torch.is_grad_enabled() and self._left_behind(self):
            warnings.warn(
                f"a part of {type(self).__name__} follows its weights, and was left "
                "behind: outside of a Trainer, call method.follow(dict(method."
                "named_parameters()), step) after each step, from step 0",
                stacklevel=2,
            )
        found: Tensor = self(self.shown(batch, generator))
        return found

    def shown(self, batch: Any, generator: torch.Generator) -> Any:
        """What this process is shown of a batch; see ``loss``."""
        example = self.prepare(batch_of(batch, self.dataset, self.dtype), generator)
        return shard(example) if self.whole else example

    def follow(self, weights: Mapping[str, Tensor], step: int) -> None:
        """Move, after an optimiser's step, what is not trained but follows it.

        Args:
            weights: Parameters by name, to be changed in place; of an ensemble each has
                its members on a first axis of its own.
            step: From 0.
        """

    def configure_optimizers(self) -> Any:
        """AdamW (0.9, 0.95), warm-up and cosine by step."""
        # In mixed precision Lightning clips no gradients of a fused step.
        clips = self._trainer is not None and bool(self._trainer.gradient_clip_val)
        optimizer = adamw(
            self.parameters(), self.lr, self.weight_decay, fused=not clips
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

    def patches_seen(
        self, batch: Batch, ids_keep: Int64[Tensor, "n k"] | None = None
    ) -> Float[Tensor, "n k d"]:
        """The encoder's tokens of the visible patches; all of them if None."""
        tokens: Tensor = self.encoder(batch.images, ids_keep)
        return tokens if self.encoder.cls_token is None else tokens[:, 1:]

    def pooled(
        self, images: Float[Tensor, "n c h w"], ids_keep: Tensor | None = None
    ) -> Float[Tensor, "n _"]:
        """The images' ``code``, or their ``mean`` where the encoder has no code."""
        found = self.encoder.readout(self.encoder(images, ids_keep))
        return found.get("code", found["mean"])


@runtime_checkable
class Reconstructs(Protocol):
    """A method that predicts patches, which can be held against the true ones."""

    def asked(self, masking: Masking) -> Int64[Tensor, "n m"]:
        """The patches that it predicts."""

    def reconstruct(
        self, batch: Batch, generator: torch.Generator
    ) -> tuple[Float[Tensor, "n m p"], Float[Tensor, "n m p"], Masking]:
        """Prediction and target of the asked patches, both in pixels, and the masks."""


furnish(__name__)
