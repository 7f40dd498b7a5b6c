"""A method in anyone's Lightning training: on images of their own, saved and loaded."""

from __future__ import annotations

import warnings
from abc import abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

import lightning as L
import torch
from jaxtyping import Float, Int64
from torch import Tensor

from mae_bench.datasets import Batch, Dataset
from mae_bench.datasets._own_images import OwnImages, batch_of
from mae_bench.records import registry
from mae_bench.records.schema import digest

Kind = TypeVar("Kind", bound="Trainable")


class Trainable(L.LightningModule):
    """What Lightning asks of a method.

    On images of one's own::

        method = MAE.for_images(channels=3, image_size=32, patch_size=4, steps=1000)
        lightning.Trainer(max_steps=method.steps).fit(method, loader)
        features = method.encode(images)["mean"]

    The loader gives images [n c h w], or pairs of them and their labels. The suite
    trains by ``training.steps`` instead, on worlds that it samples.
    """

    steps: int

    def __new__(cls: type[Kind], *_: Any, **settings: Any) -> Kind:
        """Remember what is asked for: a class may ask its base for something else."""
        made = super().__new__(cls)
        made._asked = settings
        return made

    _asked: Mapping[str, Any]

    def __init__(self, dataset: Dataset, generator: torch.Generator) -> None:
        """Keep the world, and what it takes to be built again.

        Args:
            dataset: The world that it learns from.
            generator: Its seed decides masks and augmentations.
        """
        super().__init__()
        self.dataset = dataset
        known = registry.settings(type(self))
        settings = known | {k: v for k, v in self._asked.items() if k in known}
        built = {
            "method": type(self).__name__,
            "channels": dataset.channels,
            "image_size": dataset.image_size,
            "num_classes": dataset.num_classes,
            "seed": generator.initial_seed(),
        }
        self.save_hyperparameters(built | settings)

    @classmethod
    def for_images(
        cls: type[Kind],
        channels: int = 3,
        image_size: int = 32,
        *,
        num_classes: int | None = None,
        seed: int = 0,
        **settings: Any,
    ) -> Kind:
        """A method for images of one's own, which a DataLoader gives.

        Args:
            channels: c.
            image_size: h = w, in pixels.
            num_classes: Number of classes, where labels are given and learned from.
            seed: Of the initial weights, masks and augmentations.
            settings: The method's; ``steps`` are the optimiser steps that its schedule
                is long, and of ``batch_size``, ``stop`` and ``accumulate`` the Trainer
                decides.
        """
        world = OwnImages(channels, image_size, num_classes)
        return cls(world, torch.Generator().manual_seed(seed), **settings)

    @classmethod
    def load_from_checkpoint(  # type: ignore[override]  # it needs less, and no pickle
        cls: type[Kind],
        checkpoint_path: str | Path,
        map_location: torch.device | str = "cpu",
        *,
        dataset: Dataset | None = None,
        strict: bool = True,
        **changed: Any,
    ) -> Kind:
        """The method that a Trainer saved, with its weights.

        Args:
            checkpoint_path: Of Lightning's file; only tensors and plain values are
                read from it.
            map_location: Where the method shall be.
            dataset: The world that it was built for, where more of it is needed than
                the images' shape.
            strict: Whether all weights must be there, and no others.
            changed: Settings that shall differ from the saved ones.

        Raises:
            ValueError: The file holds no method, or one of another class.
        """
        saved = torch.load(checkpoint_path, map_location="cpu", weights_only=True)
        known = {**saved.get("hyper_parameters", {})}
        held = known.pop("method", None)
        if held != cls.__name__:
            what = f"a {held}" if held else "no method that could be built again"
            raise ValueError(
                f"{checkpoint_path} holds {what}, and not a {cls.__name__}"
            )
        init = torch.Generator().manual_seed(known.pop("seed"))
        shape = [known.pop(word) for word in ("channels", "image_size", "num_classes")]
        method = cls(dataset or OwnImages(*shape), init, **{**known, **changed})
        method.load_state_dict(saved["state_dict"], strict=strict)
        return method.to(map_location)

    @abstractmethod
    def loss(self, batch: Any, generator: torch.Generator) -> Float[Tensor, ""]:
        """See ``Method``."""

    @abstractmethod
    def features(
        self, batch: Batch, ids_keep: Int64[Tensor, "n k"] | None = None
    ) -> dict[str, Float[Tensor, "n _"]]:
        """See ``Method``."""

    @abstractmethod
    def follow(self, weights: Mapping[str, Tensor], step: int) -> None:
        """See ``Method``."""

    def encode(self, images: Any) -> dict[str, Float[Tensor, "n _"]]:
        """Features of images [n c h w]: token name -> what a probe reads."""
        return self.features(batch_of(images, self.dataset, self.dtype))

    # Of a compiled method the loss is compiled, and not what is drawn and logged.
    @torch.compiler.disable  # type: ignore[untyped-decorator]  # torch
    def training_step(self, batch: Any, batch_idx: int) -> Float[Tensor, ""]:
        """The loss of a DataLoader's batch, logged as ``train_loss``.

        Masks and augmentations depend on the seed, the process, and the batches before
        alone: a training that is taken up again goes on as if it had not stopped.

        Args:
            batch: Images [n c h w], or a pair of them and their labels.
            batch_idx: Of the epoch; outside of a Trainer, of all.
        """
        shown = batch_of(batch, self.dataset, self.dtype)
        if self._trainer is not None:
            batch_idx = self._trainer.fit_loop.total_batch_idx
        seed = int(digest(self.hparams["seed"], self.global_rank, batch_idx)[:15], 16)
        generator = torch.Generator(shown.images.device).manual_seed(seed)
        loss = self.loss(shown, generator)
        self.log("train_loss", loss, prog_bar=True, batch_size=len(shown))
        return loss

    def predict_step(
        self, batch: Any, batch_idx: int = 0, dataloader_idx: int = 0
    ) -> dict[str, Float[Tensor, "n _"]]:
        """Features of a DataLoader's batch; see ``encode``."""
        del batch_idx, dataloader_idx
        return self.encode(batch)

    def on_train_start(self) -> None:
        """Have what follows the weights follow each of the Trainer's optimiser steps.

        Warns:
            UserWarning: The Trainer goes on when the schedule has ended.
        """
        for optimizer in self.trainer.optimizers:
            optimizer.register_step_post_hook(self._stepped)
        planned = self.trainer.estimated_stepping_batches
        if planned > self.steps:
            warnings.warn(
                f"the schedule is {self.steps} steps long, then stays at its end, and "
                f"{planned} are planned; build the method with as many steps",
                stacklevel=2,
            )

    def _stepped(self, *_: Any) -> None:
        self.follow(dict(self.named_parameters()), self.trainer.global_step)
