"""Instruments that are fed batch by batch: in the suite, and in anyone's training."""

import math
from abc import abstractmethod
from collections.abc import Iterable
from typing import Any, ClassVar

import torch
import torchmetrics
from torch import Tensor
from torchmetrics.utilities import dim_zero_cat

UNFED = "it has seen no batch; call update first"


class TooFew(ValueError):
    """There is no such number of so few images; the message says how many it needs."""


class Stream(torchmetrics.Metric):
    """A torchmetrics metric, whose ``compute`` gives one tensor.

    What is kept of the batches holds several numbers: ``variants`` gives them all, and
    ``compute`` the one that was asked for, which ``self.log`` and ``MetricCollection``
    take. Features of any precision are welcome; sums are in float64. Processes are
    joined when ``compute`` is called, and each must have seen a batch by then. Called
    like a function, a stream also gives the number of the batch alone.

    Attributes:
        states: Names of what is kept of the batches.
    """

    full_state_update = False
    is_differentiable = False
    states: ClassVar[tuple[str, ...]]

    def __init__(self, variant: str = "", **kwargs: Any) -> None:
        """Start from nothing.

        Args:
            variant: Name of the number that ``compute`` gives.
            kwargs: Of ``torchmetrics.Metric``.
        """
        super().__init__(**kwargs)
        self.variant = variant

    @abstractmethod
    def variants(self) -> dict[str, Tensor]:
        """Variant -> its value for the batches that this process has seen.

        Raises:
            TooFew: There are too few images.
            ValueError: NaN or infinite features.
        """

    def compute(self) -> Tensor:
        """The variant that was asked for; NaN of too few images, as a last batch is.

        Raises:
            ValueError: NaN or infinite features.
        """
        try:
            return self.variants()[self.variant]
        except TooFew:
            return torch.tensor(math.nan, dtype=torch.float64, device=self.device)


class Sums(Stream):
    """Keeps sums over images, the first of real numbers; they add up over batches."""

    def __init__(self, variant: str = "", **kwargs: Any) -> None:
        """Start from zeros, which take shape and precision of what is added first."""
        super().__init__(variant, **kwargs)
        for name in self.states:
            self.add_state(name, torch.tensor(0), dist_reduce_fx="sum")

    def add(self, batch: Iterable[Tensor]) -> None:
        """Add a batch's sums, in the order of ``states``."""
        for name, value in zip(self.states, batch, strict=True):
            # Not in place: a sum may have been born in inference mode.
            setattr(self, name, getattr(self, name) + value.detach())

    def sums(self) -> list[Tensor]:
        """What was added up, in the order of ``states``.

        Raises:
            TooFew: Nothing was.
        """
        found = [getattr(self, name) for name in self.states]
        if not found[0].is_floating_point():  # still the whole number 0
            raise TooFew(UNFED)
        return found


class Kept(Stream):
    """Keeps what it is fed; ``compute_on_cpu=True`` keeps it in the CPU's memory."""

    def __init__(self, variant: str = "", **kwargs: Any) -> None:
        """Start without images."""
        super().__init__(variant, **kwargs)
        for name in self.states:
            self.add_state(name, [], dist_reduce_fx="cat")

    def keep(self, *batch: Tensor) -> None:
        """Append a batch, in the order of ``states``."""
        for name, value in zip(self.states, batch, strict=True):
            getattr(self, name).append(value.detach())

    def kept(self) -> list[Tensor]:
        """All batches joined, in the order of ``states``.

        Raises:
            TooFew: There was no batch.
        """
        try:
            return [dim_zero_cat(getattr(self, name)) for name in self.states]
        except ValueError as error:
            raise TooFew(UNFED) from error
